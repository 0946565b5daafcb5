export * from "./errors";
export * from "./x509";
export * from "./kubernetes";
export * from "./access";
