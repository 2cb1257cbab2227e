// What to call somebody.
interface Person {
  username: string | null;
  email: string | null;
}

export function called(person: Person | null | undefined): string {
  return person?.username ?? person?.email ?? "somebody";
}
