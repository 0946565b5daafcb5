/** `Jan 02, 2006 15:04 UTC` */
export function dateText(date: string | number): string {
  const [, day, month, year, time] = new Date(date).toUTCString().split(" ");
  return `${month} ${day}, ${year} ${time!.slice(0, 5)} UTC`;
}
