// Every key of tercet.yaml that no module declares: default, bounds and one sentence each. Reading,
// checking, the sample, the manual, the schema and `tercet config print` all come from here. The
// top-level names are fixed; keys with `perHost` may stand under a host and win there.

import { BlockList, isIP } from 'node:net'
import { choice, flag, integer } from './options.js'
import type { Option } from './options.js'
import { readRedisAddress } from './redis-address.js'

export interface Key extends Omit<Option, 'kind'> {
  /**
   * Beyond the kinds of options: `secret` is a text that may stand in a file or a systemd credential,
   * `path` a file beside the configuration, `name` a text that the server's own rules check,
   * `ports` where to listen, `section` keys of its own.
   */
  readonly kind: Option['kind'] | 'secret' | 'path' | 'name' | 'ports' | 'section'
  readonly keys?: Keys
  readonly perHost?: boolean
  /** Reads one entry of a list, so that a fault points at the entry. */
  each?(item: unknown): unknown
  /** What this version cannot do with the value, though it is well formed. */
  later?(value: unknown): { say: string; refuse: boolean } | undefined
  /** For the sample: how it looks when it is used. */
  readonly example?: string
}

export type Keys = Readonly<Record<string, Key>>

export interface ListenPlace {
  readonly address: string | undefined
  readonly port: number
}

export const everyAddress = 'all'

const whole = (written: unknown) => written

function plainText(written: unknown): string {
  if (typeof written === 'string' && written !== '') return written
  throw new Error('a text is wanted')
}

function postgresOrSqlite(written: unknown): string {
  if (written === 'sqlite') return 'sqlite'
  if (typeof written === 'string' && /^postgres(ql)?:\/\/[^\s/]+\/[^\s/]+$/.test(written))
    return written
  throw new Error("'sqlite' or 'postgres://user@host/database' is wanted")
}

function redisOrNone(written: unknown): string {
  if (written === '' || written === false) return ''
  const text = plainText(written)
  readRedisAddress(text)
  return text
}

/** 5222, '127.0.0.1:5222', '[::1]:5222'; 0 and false are nowhere. */
export function readPort(written: unknown): ListenPlace | undefined {
  if (written === false || written === 0 || written === '0') return undefined
  const match = /^(?:\[?([^\]\s]+?)\]?:)?(\d{1,5})$/.exec(String(written))
  const address = match?.[1]
  const port = Number(match?.[2])
  const known = address === undefined || isIP(address) !== 0
  if (match && known && port >= 1 && port <= 65535) return { address, port }
  throw new Error(
    "a port from 1 to 65535, 'address:port' with an IP address, a list of them, or false is wanted",
  )
}

function ports(key: { default: number; doc: string; later?: string }): Key {
  const each = readPort
  return {
    kind: 'ports',
    default: key.default,
    doc: key.doc,
    each,
    read: (written) => [each(written)],
    ...(key.later !== undefined && {
      later: (value) => {
        const opened = (value as unknown[]).some((place) => place !== undefined)
        return opened
          ? { say: `is not opened: ${key.later} comes with a later version`, refuse: false }
          : undefined
      },
    }),
  }
}

function readAddress(written: unknown): string {
  if (written === everyAddress || (typeof written === 'string' && isIP(written) !== 0))
    return written
  throw new Error("'all', an IP address or a list of them is wanted")
}

function readNetwork(written: unknown): string {
  const [address = '', prefix] = String(written).split('/')
  const version = isIP(address)
  const longest = version === 4 ? 32 : 128
  if (
    version === 0 ||
    (prefix !== undefined && !(/^\d+$/.test(prefix) && Number(prefix) <= longest))
  ) {
    throw new Error("an IP address or a network such as '10.0.0.0/8' is wanted")
  }
  new BlockList().addSubnet(address, Number(prefix ?? longest), version === 4 ? 'ipv4' : 'ipv6')
  return String(written)
}

export const listenKeys: Keys = {
  address: {
    kind: 'list',
    default: everyAddress,
    doc: 'Addresses of this machine to listen on, where a port names none.',
    each: readAddress,
    read: whole,
  },
  c2s: ports({ default: 5222, doc: 'Clients; encryption starts with STARTTLS.' }),
  c2s_tls: ports({ default: 5223, doc: 'Clients; TLS from the first byte.' }),
  http: ports({ default: 5280, doc: 'HTTP: WebSocket at /xmpp.' }),
  https: ports({ default: 5281, doc: 'The same over TLS.' }),
  s2s: ports({
    default: 0,
    doc: 'Other servers; not opened by this version.',
    later: 'federation',
  }),
  s2s_tls: ports({
    default: 0,
    doc: 'Other servers over TLS; not opened by this version.',
    later: 'federation',
  }),
  component: ports({
    default: 0,
    doc: 'External components; not opened by this version.',
    later: 'this',
  }),
  proxy65: ports({
    default: 0,
    doc: 'File transfer proxy; not opened by this version.',
    later: 'this',
  }),
  proxies: {
    kind: 'list',
    default: [],
    doc: 'Networks whose PROXY protocol and X-Forwarded-For are believed.',
    each: readNetwork,
    read: whole,
    example: '[127.0.0.1, 10.0.0.0/8]',
  },
}

export const tlsKeys: Keys = {
  certificate: {
    kind: 'path',
    default: '',
    doc: 'Certificate chain in PEM, the own one first.',
    read: plainText,
    example: 'fullchain.pem',
  },
  key: {
    kind: 'path',
    default: '',
    doc: 'Its private key in PEM.',
    read: plainText,
    example: 'privkey.pem',
  },
  client_ca: {
    kind: 'path',
    default: '',
    doc: 'Authority in PEM whose client certificates may log in here (SASL EXTERNAL); without it none is asked for.',
    read: plainText,
    example: 'people-ca.pem',
  },
}

export const hostKeys: Keys = {
  tls: {
    kind: 'section',
    default: 'self-signed',
    doc: 'Certificate by server name; read again when the files change. Without it the server signs one itself.',
    keys: tlsKeys,
    perHost: true,
    read: whole,
  },
  encryption: {
    ...choice({
      default: 'required',
      choices: ['required', 'optional'],
      doc: 'optional allows clear text and PLAIN: for tests and benchmarks only.',
    }),
    perHost: true,
  },
  registration: {
    ...choice({
      default: 'invite',
      choices: ['closed', 'invite', 'open'],
      doc: 'Who may make an account: nobody but administrators, whoever was invited, everybody.',
    }),
    perHost: true,
  },
  password_rounds: {
    ...integer({
      default: 100_000,
      min: 1,
      max: 10_000_000,
      unit: 'rounds',
      doc: 'PBKDF2 rounds for new passwords; tests and benchmarks set less.',
    }),
    perHost: true,
  },
  scram_sha1: {
    ...flag({ default: true, doc: 'Whether SCRAM-SHA-1 is offered and its keys are stored.' }),
    perHost: true,
  },
  admins: {
    kind: 'list',
    default: [],
    doc: 'Addresses of the administrators.',
    each: whole,
    read: whole,
    perHost: true,
    example: '[romeo@chat.example.com]',
  },
  modules: {
    kind: 'section',
    default: {},
    doc: "A module's name sets its options; false leaves it out; ./name.js loads one of your own.",
    perHost: true,
    read: whole,
  },
}

export const globalKeys: Keys = {
  domain: {
    kind: 'name',
    default: 'localhost',
    doc: 'The one host; or, for several, use hosts.',
    read: plainText,
    example: 'chat.example.com',
  },
  hosts: {
    kind: 'section',
    default: {},
    doc: 'Several hosts by domain, each with settings of its own over the global ones.',
    read: whole,
  },
  data: {
    kind: 'text',
    default: 'tercet-data',
    doc: 'Folder for everything the server keeps; /var/lib/tercet where the configuration is under /etc.',
    read: plainText,
    example: '/var/lib/tercet',
  },
  database: {
    kind: 'secret',
    default: 'sqlite',
    doc: 'sqlite keeps a file in the data folder; or postgres://user@host/database.',
    read: postgresOrSqlite,
  },
  redis: {
    kind: 'secret',
    default: '',
    doc: 'redis://user:password@host:6379 makes this one of several nodes, which share a PostgreSQL database; rediss:// for TLS; redis-sentinel://host:26379,host/name; redis-cluster://host:6379,host.',
    read: redisOrNone,
  },
  workers: integer({
    default: 1,
    min: 1,
    max: 256,
    doc: 'Nodes on this machine, which share its ports; more than 1 needs redis and PostgreSQL.',
  }),
  durability: choice({
    default: 'power',
    choices: ['power', 'crash'],
    doc: 'power: on disk before the acknowledgement; crash: survives kill -9 but not a power cut (SQLite only).',
  }),
  listen: {
    kind: 'section',
    default: {},
    doc: 'Where to listen; 0 or false opens nothing.',
    keys: listenKeys,
    read: whole,
  },
  limits: choice({
    default: 'default',
    choices: ['default', 'off'],
    doc: 'off lifts the rate limits: for benchmarks.',
  }),
  ...hostKeys,
}
