import type { Front } from "../campaign";
import { HAND_ACCESS } from "./hand-access";
import { HAND_PKI } from "./hand-pki";
import { OURS_ACCESS } from "./ours-access";
import { OURS_PKI } from "./ours-pki";

/** All fronts. */
export const FRONTS: readonly Front[] = [...HAND_PKI, HAND_ACCESS, ...OURS_PKI, OURS_ACCESS];
