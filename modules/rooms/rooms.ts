// Rooms: group chat (XEP-0045). Each room is owned by one node, where everything in it is put in order; what
// comes for it is taken there, and what it says goes out to each visitor's node once. What is said is on disk
// before anybody gets it. This is the head alone: whoever has no rooms does not load them.

import { defineModule } from '../../lib/core/module.js'
import { bytes, choice, integer, text } from '../../lib/ops/options.js'
import archive from '../archive/archive.js'
import { rateOptions } from './said/rates.js'
import { migrations } from './tables.js'

export const roomOptions = {
  subdomain: text({
    default: 'rooms',
    pattern: /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
    wanted: 'a label of a domain is wanted',
    doc: 'Rooms live at this name in front of the host',
  }),
  max_occupants: integer({
    default: 500,
    min: 1,
    max: 100_000,
    doc: 'Most occupants that a room may be set to',
  }),
  shown_occupants: integer({
    default: 1000,
    min: 1,
    max: 100_000,
    doc: 'In a room with more occupants only moderators are shown who else comes',
  }),
  max_history: integer({
    default: 100,
    min: 0,
    max: 1000,
    doc: 'Most messages that a newcomer is shown',
  }),
  create: choice({
    default: 'local',
    choices: ['anyone', 'local', 'admins'],
    doc: 'Who may make rooms',
  }),
  rooms_per_account: integer({
    default: 100,
    min: 1,
    max: 100_000,
    doc: 'Most rooms that one account may own',
  }),
  card_size: bytes({
    default: '128 KiB',
    doc: 'Largest card of a room, its picture included',
  }),
  ...rateOptions,
}

export default defineModule<undefined, typeof roomOptions>({
  name: 'rooms',
  summary: 'Group chat: rooms with members, moderators and a memory',
  xeps: {
    'XEP-0045': '1.35.3',
    'XEP-0249': '1.2',
    'XEP-0463': '0.2.0',
    // extensions.ts
    'XEP-0054': '1.3.0',
    'XEP-0153': '1.1.1',
    'XEP-0307': '0.1',
    'XEP-0317': '0.3.1',
    'XEP-0410': '1.1.0',
    'XEP-0421': '1.0.1',
    'XEP-0433': '0.1.0',
    'XEP-0437': '0.2.0',
    'XEP-0452': '0.2.2',
    'XEP-0486': '0.1.0',
    'XEP-0488': '0.1.0',
    'XEP-0502': '0.1.0',
    // spoken-features.ts
    'XEP-0313': '1.1.3',
    'XEP-0359': '0.7.0',
    'XEP-0424': '0.4.2',
    'XEP-0425': '0.3.0',
    'XEP-0500': '0.1.1',
  },
  requires: [archive],
  config: roomOptions,
  migrations,

  setup: async (host) => (await import('./opening.js')).openRooms(host),
})
