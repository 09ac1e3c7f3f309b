// docs/tercet.schema.json: JSON Schema for editors. It says less than `tercet check`, never more.

import { globalKeys, hostKeys } from '../../lib/ops/config-keys.js'
import type { Key, Keys } from '../../lib/ops/config-keys.js'
import type { Option, Options } from '../../lib/ops/options.js'
import type { Facts } from './facts.js'

type Schema = Record<string, unknown>

export function schema(facts: Facts): string {
  const modules = modulesSchema(facts)
  const host = { ...properties(hostKeys), modules }
  const hosts = {
    type: 'object',
    additionalProperties: object(host),
    description: globalKeys.hosts!.doc,
  }
  const whole = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'tercet.yaml',
    ...object({ ...properties(globalKeys), hosts, modules }),
  }
  return `${JSON.stringify(whole, undefined, 2)}\n`
}

function object(properties: Schema): Schema {
  return { type: ['object', 'null'], additionalProperties: false, properties }
}

function properties(keys: Keys): Schema {
  return Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, keySchema(key)]))
}

function modulesSchema({ modules }: Facts): Schema {
  const known = modules.map(({ name, summary, config }) => [
    name,
    moduleSchema(summary, config ?? {}),
  ])
  return {
    type: ['object', 'null'],
    description: hostKeys.modules!.doc,
    properties: Object.fromEntries(known),
    patternProperties: { '^(\\.{1,2})?/': true },
    additionalProperties: { const: false },
  }
}

function moduleSchema(description: string, options: Options): Schema {
  const inside = Object.entries(options).map(([name, option]) => [name, keySchema(option)])
  return { description, anyOf: [{ type: ['boolean', 'null'] }, object(Object.fromEntries(inside))] }
}

const elsewhere: Schema = {
  type: 'object',
  minProperties: 1,
  maxProperties: 1,
  additionalProperties: false,
  properties: { file: { type: 'string' }, credential: { type: 'string' } },
}

function keySchema(key: Key | Option): Schema {
  const described = { description: key.doc, ...(key.default !== '' && { default: key.default }) }
  if ('keys' in key && key.keys) return { description: key.doc, ...object(properties(key.keys)) }
  return { ...described, ...shape(key) }
}

function shape({ kind, choices, min, max }: Key | Option): Schema {
  switch (kind) {
    case 'integer':
      return {
        type: 'integer',
        ...(min !== undefined && { minimum: min }),
        ...(max !== undefined && { maximum: max }),
      }
    case 'flag':
      return { type: 'boolean' }
    case 'choice':
      return { enum: choices }
    case 'list':
      return { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] }
    case 'ports':
      return { anyOf: [...portShapes, { type: 'array', items: { anyOf: portShapes } }] }
    case 'secret':
    case 'path':
    case 'text':
      return { anyOf: [{ type: ['string', 'number'] }, elsewhere] }
    case 'section':
    case 'map':
      return { type: ['object', 'null'] }
    default:
      return { type: ['string', 'number'] }
  }
}

const portShapes: Schema[] = [
  { type: 'integer', minimum: 0, maximum: 65535 },
  { type: 'string', pattern: '^(.+:)?[0-9]{1,5}$' },
  { const: false },
]
