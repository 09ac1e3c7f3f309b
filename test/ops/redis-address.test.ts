// Where Redis is, as an operator writes it.

import { test } from 'tap'
import { readRedisAddress } from '../../lib/ops/redis-address.js'

const single = { kind: 'single', tls: false, db: 0 }

test('one server: host, port, database, user, TLS, a socket', (t) => {
  const places = [{ host: 'r.example', port: 6379 }]
  t.same(readRedisAddress('redis://r.example'), { ...single, places })
  t.same(readRedisAddress('redis://r.example/'), { ...single, places })
  t.same(readRedisAddress('rediss://romeo:a%40b%2F@r.example:6380/3'), {
    kind: 'single',
    places: [{ host: 'r.example', port: 6380 }],
    tls: true,
    username: 'romeo',
    password: 'a@b/',
    db: 3,
  })
  t.same(readRedisAddress('redis://:sesame@[::1]:7000'), {
    ...single,
    places: [{ host: '::1', port: 7000 }],
    password: 'sesame',
  })
  t.same(readRedisAddress('/run/redis.sock'), { ...single, places: [], path: '/run/redis.sock' })
  t.end()
})

test('sentinels, with the name of the master and passwords for both', (t) => {
  t.same(
    readRedisAddress(
      'redis-sentinel://:a@one.example,two.example:7000/tercet?sentinel_password=b%26',
    ),
    {
      kind: 'sentinel',
      places: [
        { host: 'one.example', port: 26_379 },
        { host: 'two.example', port: 7000 },
      ],
      tls: false,
      password: 'a',
      db: 0,
      name: 'tercet',
      sentinelPassword: 'b&',
    },
  )
  t.end()
})

test('a cluster, from some of its servers', (t) => {
  t.same(readRedisAddress('rediss-cluster://a:7000,b'), {
    kind: 'cluster',
    places: [
      { host: 'a', port: 7000 },
      { host: 'b', port: 6379 },
    ],
    tls: true,
    db: 0,
  })
  t.end()
})

test('what is none of these is refused, and says what is wanted', (t) => {
  const refused = {
    'http://a': /redis:\/\/host:6379/,
    'redis://': /redis:\/\/host:6379/,
    'redis://a:0': /is wanted/,
    'redis://a:70000': /is wanted/,
    'redis://a,': /is wanted/,
    'redis://a,b': /one host/,
    'redis://a/x': /number of a database/,
    'redis-cluster://a/1': /number of a database/,
    'redis-sentinel://a': /name of the master/,
    'redis://a?db=1': /no db/,
    'redis://a:%@b': /%25/,
  }
  for (const [text, message] of Object.entries(refused))
    t.throws(() => readRedisAddress(text), { message }, text)
  t.end()
})
