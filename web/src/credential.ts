// Whoever is signed in in this tab: an API key or a token, kept until the tab is closed.

const NAME = "teamlore.credential";

export function storedCredential(): string {
  return sessionStorage.getItem(NAME) ?? "";
}

export function storeCredential(credential: string): void {
  if (credential) sessionStorage.setItem(NAME, credential);
  else sessionStorage.removeItem(NAME);
}

export function authorization(credential: string): Record<string, string> {
  return credential ? { authorization: `Bearer ${credential}` } : {};
}
