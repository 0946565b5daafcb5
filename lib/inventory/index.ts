export { inventoryOf } from "./collect";
export { writeInventories } from "./write";
export type * from "./schema";
