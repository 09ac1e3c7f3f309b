// Where Redis is: one server, the sentinels that know which of several is the master, or a cluster of
// servers that share its keys. Written as one address, so that it can be kept like any other secret.

export interface RedisPlace {
  readonly host: string
  readonly port: number
}

export interface RedisAddress {
  readonly kind: 'single' | 'sentinel' | 'cluster'
  /** One, or any of the sentinels or of the cluster's servers: the others are learned from them. */
  readonly places: readonly RedisPlace[]
  /** A socket of this machine, instead of places */
  readonly path?: string
  readonly tls: boolean
  readonly username?: string
  readonly password?: string
  /** Only of a single one */
  readonly db: number
  /** What the sentinels call the master */
  readonly name?: string
  readonly sentinelPassword?: string
}

const FORM =
  /^(rediss?)(?:-(sentinel|cluster))?:\/\/(?:([^:@/?\s]*)(?::([^@/?\s]*))?@)?([^@/?\s]+)(?:\/([^/?\s]*))?(?:\?([^\s]*))?$/
const PLACE = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i
const wanted =
  "'redis://host:6379', 'redis-sentinel://host,host/name' or 'redis-cluster://host,host' is wanted (rediss for TLS, user:password@ before the host)"

const ports = { single: 6379, sentinel: 26_379, cluster: 6379 }

/** Throws an Error that says what is wanted. */
export function readRedisAddress(text: string): RedisAddress {
  if (text.startsWith('/')) return { kind: 'single', places: [], path: text, tls: false, db: 0 }
  const match = FORM.exec(text)
  if (!match) throw new Error(wanted)
  const [, scheme, form = 'single', username = '', password = '', hosts = '', below = ''] = match
  const kind = form as RedisAddress['kind']
  const places = hosts.split(',').map((place) => readPlace(place, ports[kind]))
  if (kind === 'single' && places.length > 1)
    throw new Error("redis:// has one host; several are 'redis-sentinel://' or 'redis-cluster://'")
  return {
    kind,
    places,
    tls: scheme === 'rediss',
    ...(username !== '' && { username: decoded(username) }),
    ...(password !== '' && { password: decoded(password) }),
    ...behind(kind, decoded(below)),
    ...asked(kind, match[7] ?? ''),
  }
}

function readPlace(text: string, usual: number): RedisPlace {
  const match = PLACE.exec(text)
  const port = Number(match?.[2] ?? usual)
  if (!match || port < 1 || port > 65_535) throw new Error(wanted)
  return { host: match[1]!.replace(/^\[|\]$/g, ''), port }
}

/** What stands behind the hosts: a number of a database, or the name of the master. */
function behind(kind: RedisAddress['kind'], text: string): { db: number; name?: string } {
  if (kind === 'sentinel' && text === '')
    throw new Error("the name of the master is wanted: 'redis-sentinel://host,host/name'")
  if (kind === 'sentinel') return { db: 0, name: text }
  if (!/^\d{0,5}$/.test(text) || (kind === 'cluster' && Number(text) > 0))
    throw new Error('behind the host of redis:// stands the number of a database or nothing')
  return { db: Number(text) }
}

function asked(kind: RedisAddress['kind'], text: string): { sentinelPassword?: string } {
  const query = new URLSearchParams(text)
  const unknown = [...query.keys()].filter(
    (name) => kind !== 'sentinel' || name !== 'sentinel_password',
  )
  if (unknown.length > 0) throw new Error(`there is no ${unknown[0]} for this kind of Redis`)
  const password = query.get('sentinel_password')
  return password === null ? {} : { sentinelPassword: password }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error('a % in the address of Redis starts an escaped character: write %25 for itself')
  }
}
