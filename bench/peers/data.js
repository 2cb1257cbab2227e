// What every peer reads with: a pool, prepared statements, batches by DataLoader, and who asks.
import DataLoader from "dataloader";
import { createVerifier } from "fast-jwt";
import pg from "pg";

// Instants go out as PostgreSQL writes them, only in ISO 8601: no Date is made on the way.
export const isoOf = (text) => {
  const [day, clock] = text.slice(0, -3).split(" ");
  const [seconds, fraction = ""] = clock.split(".");
  return `${day}T${seconds}.${fraction.padEnd(6, "0")}+00:00`;
};
pg.types.setTypeParser(1184, isoOf);
pg.types.setTypeParser(20, Number);

export const connection = {
  host: process.env.PGHOST,
  user: process.env.PGUSER,
  database: process.env.PGDATABASE,
  options: "-c jit=off -c TimeZone=UTC",
};
export const POOL_SIZE = Number(process.env.POOL_SIZE);

export const globalId = (tag, uuid) => Buffer.from(tag + uuid.replaceAll("-", ""), "hex").toString("base64url");
export const [USER, TEAM, ENTRY, SESSION] = ["u", "t", "k", "s"].map((letter) => Buffer.from(letter).toString("hex"));
export const uuidOf = (id) => {
  const hex = Buffer.from(id, "base64url").toString("hex");
  return `${hex.slice(2, 10)}-${hex.slice(10, 14)}-${hex.slice(14, 18)}-${hex.slice(18, 22)}-${hex.slice(22)}`;
};
export const cursorOf = (number, uuid, order = "") => {
  const place = Buffer.alloc(24);
  place.writeBigInt64BE(BigInt(number));
  place.write(uuid.replaceAll("-", ""), 8, "hex");
  const text = Buffer.concat([place, Buffer.from(order)]).toString("base64url");
  return order ? `${text}==` : text;
};

const verify = createVerifier({ key: process.env.JWT_SECRET, algorithms: ["HS256"], cache: 1000 });
export const accountOf = (headers) => {
  const [scheme, token] = (headers.authorization ?? "").split(" ");
  if (scheme !== "Bearer") throw new Error("Unauthenticated");
  return verify(token).sub;
};

const ENTRY_COLUMNS =
  "k.id, k.type, k.timestamp, k.summary, k.project, k.details, k.tags, k.created_at, k.updated_at, k.author_id, k.scope_id";
const IN_TEAM = "memberships m WHERE m.account_id = $1";

export const makePool = () => new pg.Pool({ ...connection, max: POOL_SIZE });

const grouped = (keys, rows) => {
  const groups = new Map(keys.map((key) => [key, []]));
  for (const row of rows) groups.get(row.key).push(row);
  return keys.map((key) => groups.get(key));
};
const single = (keys, rows) => {
  const found = new Map(rows.map((row) => [row.id, row]));
  return keys.map((key) => found.get(key) ?? null);
};

// What one request reads: nothing is fetched twice, and equal reads go together.
export class Reader {
  #pool;
  #lists = new Map();

  constructor(pool, account) {
    this.#pool = pool;
    this.account = account;
    this.people = new DataLoader(async (ids) => single(ids, await this.#people(ids)));
  }

  async #rows(name, text, values) {
    return (await this.#pool.query({ name, text, values })).rows;
  }

  #people(ids) {
    return this.#rows(
      "people",
      `SELECT a.id, a.email FROM accounts a WHERE a.id = ANY($2) AND (a.id = $1 OR EXISTS (
         SELECT FROM memberships mine JOIN memberships theirs ON theirs.scope_id = mine.scope_id
         WHERE mine.account_id = $1 AND theirs.account_id = a.id))`,
      [this.account, ids],
    );
  }

  async entry(id) {
    const rows = await this.#rows(
      "entry",
      `SELECT ${ENTRY_COLUMNS} FROM knowledge k WHERE k.id = $2 AND k.deleted_at IS NULL
       AND k.scope_id IN (SELECT m.scope_id FROM ${IN_TEAM})`,
      [this.account, id],
    );
    return rows[0] ?? null;
  }

  async team(id) {
    const rows = await this.#rows(
      "team",
      `SELECT s.id, s.name, m.role FROM scopes s, ${IN_TEAM} AND m.scope_id = s.id
       AND s.id = $2 AND s.kind = 'team' AND s.deleted_at IS NULL`,
      [this.account, id],
    );
    return rows[0] ?? null;
  }

  teams() {
    return this.#rows(
      "teams",
      `SELECT s.id, s.name, m.role FROM scopes s, ${IN_TEAM} AND m.scope_id = s.id
       AND s.kind = 'team' AND s.deleted_at IS NULL ORDER BY s.created_at, s.id`,
      [this.account],
    );
  }

  // One page of each of several teams; the size is part of the text, as a bound LIMIT is planned anew.
  #list(name, make) {
    let loader = this.#lists.get(name);
    if (!loader) {
      loader = new DataLoader(async (teams) => grouped(teams, await this.#rows(name, make(), [teams])));
      this.#lists.set(name, loader);
    }
    return loader;
  }

  knowledge(team, first) {
    const text = () => `SELECT t.id AS key, k.* FROM unnest($1::uuid[]) AS t(id), LATERAL (
      SELECT ${ENTRY_COLUMNS} FROM knowledge k WHERE k.scope_id = t.id AND k.deleted_at IS NULL
      ORDER BY k.timestamp DESC, k.id DESC LIMIT ${first + 1}) AS k`;
    return this.#list(`knowledge ${first}`, text).load(team);
  }

  members(team, first) {
    const text = () => `SELECT t.id AS key, p.* FROM unnest($1::uuid[]) AS t(id), LATERAL (
      SELECT m.role, m.joined_at, a.id, a.email FROM memberships m JOIN accounts a ON a.id = m.account_id
      WHERE m.scope_id = t.id ORDER BY m.joined_at, a.id LIMIT ${first + 1}) AS p`;
    return this.#list(`members ${first}`, text).load(team);
  }

  async me() {
    return (await this.#rows("me", "SELECT id, email FROM accounts WHERE id = $1", [this.account]))[0];
  }

  sessions(first) {
    return this.#rows(
      `sessions ${first}`,
      `SELECT id, session_id, name, project_name, updated_at FROM sessions WHERE scope_id = $1
       AND deleted_at IS NULL ORDER BY updated_at DESC, id DESC LIMIT ${first + 1}`,
      [this.account],
    );
  }
}
