// The configuration as the server reads it: checked, with every default filled in. lib/ops/config
// makes it from tercet.yaml; tests make it by hand.

export interface HostSettings {
  readonly domain: string
  readonly encryption: 'required' | 'optional'
  readonly registration: 'closed' | 'invite' | 'open'
  /** PBKDF2 rounds for new passwords */
  readonly passwordRounds: number
  /** Whether keys for SCRAM-SHA-1 are stored too. */
  readonly scramSha1: boolean
  /** Bare addresses */
  readonly admins: readonly string[]
  readonly tls:
    | {
        readonly certificate: string
        readonly key: string
        /** Authority whose client certificates may log in here */
        readonly clientCa?: string
      }
    | undefined
  /** By module: its options as written, or false to leave it out. Names not listed load with defaults if they are on by default. */
  readonly modules: Readonly<Record<string, Readonly<Record<string, unknown>> | false>>
}

/** One place to listen: undefined address is every address of the machine. */
export interface ListenPlace {
  readonly address: string | undefined
  readonly port: number
}

export interface ServerSettings {
  readonly hosts: readonly HostSettings[]
  readonly data: string
  readonly database: string
  /** Where nodes find each other; empty or undefined: this one is alone. */
  readonly redis?: string
  /** Nodes of this machine that share its ports */
  readonly workers?: number
  readonly durability: 'power' | 'crash'
  readonly limits: 'default' | 'off'
  readonly listen: {
    readonly c2s: readonly ListenPlace[]
    readonly c2s_tls: readonly ListenPlace[]
    readonly http: readonly ListenPlace[]
    readonly https: readonly ListenPlace[]
    /** Networks whose PROXY protocol and X-Forwarded-For are believed. */
    readonly proxies: readonly string[]
  }
}

/** What changes with a restart only */
export const fixedKeys = [
  'data',
  'database',
  'redis',
  'workers',
  'durability',
  'limits',
  'listen',
] as const
