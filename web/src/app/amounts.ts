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

interface Cost {
  amount: number;
  currency: string;
  unpricedModels: readonly string[];
}

export function money({ amount, currency }: Cost): string {
  const digits = amount > 0 && amount < 0.1 ? 3 : 2;
  return new Intl.NumberFormat(undefined, { style: "currency", currency, maximumFractionDigits: digits }).format(amount);
}

// Which models are not in an amount; nothing when all are.
export function unpriced({ unpricedModels }: Cost): string | undefined {
  return unpricedModels.length ? `Without ${unpricedModels.join(", ")}, whose price is not known` : undefined;
}

// A model without the day on which it was made.
export function modelName(model: string): string {
  return model.replace(/-20\d{6}$/, "");
}
