// Numbers as people read them.
const whole = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const UNITS = ["B", "kB", "MB", "GB", "TB"];

export function count(number: number, one: string, many = `${one}s`): string {
  return `${whole.format(number)} ${number === 1 ? one : many}`;
}

export function compact(number: number): string {
  return short.format(number);
}

export function bytes(number: number): string {
  const power = number < 1 ? 0 : Math.min(Math.floor(Math.log10(number) / 3), UNITS.length - 1);
  return `${(number / 1000 ** power).toFixed(power && number / 1000 ** power < 10 ? 1 : 0)} ${UNITS[power]}`;
}
