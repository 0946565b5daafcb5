import { Option } from "commander";

/** Collects the values of an option that may be repeated. */
export function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}

/** How a command writes: the same option in every command that has a choice, with the first as its default. */
export function formatOption<Format extends string>(...formats: readonly [Format, ...Format[]]): Option {
  return new Option("-o, --format <format>", "how it is written").choices(formats).default(formats[0]);
}
