import type { Front } from "../campaign";
import { HAND_PKI } from "./hand-pki";

/** All fronts, and their share of the edits. */
export const FRONTS: readonly { readonly front: Front; readonly share: number }[] = [{ front: HAND_PKI, share: 5 }];
