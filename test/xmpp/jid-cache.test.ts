import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'tap'
import { Jid } from '../../lib/xmpp/jid.js'
import { JidCache } from '../../lib/xmpp/jid-cache.js'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

const MEGABYTE = 1024 * 1024

function heapGrowth(work: () => void): number {
  collect()
  const before = process.memoryUsage()
  work()
  collect()
  const after = process.memoryUsage()
  return (after.heapUsed + after.external - before.heapUsed - before.external) / MEGABYTE
}

test('SEC-30: a million distinct addresses leave less than 5 MiB on the heap', async (t) => {
  const growth = heapGrowth(() => {
    for (let i = 0; i < 1_000_000; i++) Jid.parse(`stranger${i}@flood.example/${i}`)
  })
  t.ok(growth < 5, `${growth.toFixed(1)} MiB`)
})

test('SEC-30: however often each of them comes, the bound holds', async (t) => {
  const growth = heapGrowth(() => {
    for (let i = 0; i < 300_000; i++) {
      Jid.parse(`Insistent${i}@flood.example/${i}`)
      Jid.parse(`Insistent${i}@flood.example/${i}`)
    }
  })
  t.ok(growth < 32, `${growth.toFixed(1)} MiB`)
})

test('SEC-30: long addresses count by their length', async (t) => {
  const growth = heapGrowth(() => {
    for (let i = 0; i < 20_000; i++) Jid.parse(`a@flood.example/${'r'.repeat(1000)}${i}`)
  })
  t.ok(growth < 5, `${growth.toFixed(1)} MiB`)
})

test('SEC-30: addresses that are refused are not remembered', async (t) => {
  const growth = heapGrowth(() => {
    for (let i = 0; i < 100_000; i++) Jid.tryParse(`no ${i}@flood.example`)
  })
  t.ok(growth < 1, `${growth.toFixed(1)} MiB`)
})

test('a cached address does not keep the chunk alive that it was cut from', async (t) => {
  const cut = (address: string) => `${address}${'x'.repeat(64 * 1024)}`.slice(0, address.length)
  const growth = heapGrowth(() => {
    for (let i = 0; i < 1000; i++) {
      const many = [
        'juliet@capulet.example/',
        'Juliet@capulet.example/',
        'capulet.',
        '\u00e9@capulet.',
      ]
      for (const one of many) Jid.parse(cut(`${one}chamber${i}`))
    }
  })
  t.ok(growth < 5, `${growth.toFixed(1)} MiB`)
})

test('a flood of strangers does not displace the addresses in use', async (t) => {
  const cache = new JidCache({ proven: 1_000_000, trial: 100_000 })
  const romeo = Jid.parse('romeo@montague.example')
  cache.add('romeo', romeo)
  t.equal(cache.get('romeo'), romeo)
  for (let i = 0; i < 100_000; i++) cache.add(`stranger${i}`, romeo)
  t.ok(cache.size < 400, `${cache.size} entries`)
  t.equal(cache.get('romeo'), romeo)
  t.equal(cache.get('stranger1'), undefined)
})

test('what is used between two turns of a cache survives them', async (t) => {
  const cache = new JidCache({ proven: 200_000, trial: 100_000 })
  const romeo = Jid.parse('romeo@montague.example')
  cache.add('romeo', romeo)
  for (let i = 0; i < 10_000; i++) {
    if (i % 50 === 0) t.equal(cache.get('romeo'), romeo)
    cache.add(`proven${i}`, romeo)
    cache.get(`proven${i}`)
  }
  t.ok(cache.size < 800, `${cache.size} entries`)
  t.equal(cache.get('proven1'), undefined)
})
