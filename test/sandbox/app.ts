import { SandboxDescription } from "./description";
import { synthesize } from "./synthesis";

// The app that `cdktf deploy` runs for the sandbox, from a description in the environment.
synthesize(SandboxDescription.fromEnvironment());
