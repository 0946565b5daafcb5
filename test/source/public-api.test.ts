import { expectGolden } from "../support/golden";
import { publicApi } from "../support/public-api";

// A difference here that is not an addition breaks the programs of users: review it as that.

test("what a user of the package can name", () => {
  expectGolden("api.d.ts", publicApi());
});
