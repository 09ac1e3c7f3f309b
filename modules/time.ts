// Entity Time: tells what time it is here.

import { xml } from '../lib/xmpp/element.js'
import { defineModule } from '../lib/core/module.js'

const NS_TIME = 'urn:xmpp:time'

export default defineModule({
  name: 'time',
  summary: 'Tells the time on this server',
  xeps: { 'XEP-0202': '2.0' },

  setup({ clock }) {
    return {
      disco: { server: [NS_TIME] },
      iq: [{ get: 'time', xmlns: NS_TIME, to: 'host', allow: 'anyone', reads: true, answer }],
    }

    function answer() {
      const utc = new Date(clock.now()).toISOString()
      return xml('time', NS_TIME, xml('tzo', {}, '+00:00'), xml('utc', {}, utc))
    }
  },
})
