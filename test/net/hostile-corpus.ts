// What a strict reader must refuse, and with which stream error (RFC 6120 §4.9.3, §11). Strings are
// latin1: '\xc3' is one byte. `start` is sent instead of a stream header, `stream` after one,
// `stanza` inside of a message.

import type { StreamCondition } from '../../lib/xmpp/errors.js'

export type Place = 'start' | 'stream' | 'stanza'

export interface Hostile {
  place: Place
  input: string
  condition: StreamCondition
}

function all(place: Place, condition: StreamCondition, inputs: string[]): Hostile[] {
  return inputs.map((input) => ({ place, input, condition }))
}

const STREAMS = 'http://etherx.jabber.org/streams'
const XML = 'http://www.w3.org/XML/1998/namespace'
const XMLNS = 'http://www.w3.org/2000/xmlns/'

const laughs = `<!DOCTYPE lolz [<!ENTITY lol "lol">${Array.from({ length: 9 }, (_, i) => `<!ENTITY lol${i + 1} "${`&lol${i || ''};`.repeat(10)}">`).join('')}]>`

/** RFC 6120 §11.1: comments, processing instructions, DTDs, entities other than the five. */
const restricted: Hostile[] = [
  ...(['start', 'stream', 'stanza'] as const).flatMap((place) =>
    all(place, 'restricted-xml', [
      laughs,
      '<!DOCTYPE stream>',
      '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
      '<!DOCTYPE x PUBLIC "-//X" "http://im.example/x.dtd">',
      '<!ENTITY x "y">',
      '<!ELEMENT x ANY>',
      '<!ATTLIST x y CDATA #IMPLIED>',
      '<!NOTATION x SYSTEM "y">',
      '<!-- comment -->',
      '<!---->',
      '<!-->',
      '<?pi?>',
      '<?php echo 1 ?>',
      '<?xml-stylesheet href="x"?>',
      '<?XML version="1.0"?>',
      '<??>',
    ]),
  ),
  ...all('start', 'restricted-xml', [
    "<?xml version='1.0'?><?xml version='1.0'?>",
    "<?xml version='1.0'?><!DOCTYPE x>",
    "<?xml version='1.0'?>\n<!-- -->",
    "<?xmlx version='1.0'?>",
    '<?xml?>',
  ]),
  ...all('stream', 'restricted-xml', ["<?xml version='1.0'?>"]),
  ...['&foo;', '&nbsp;', '&xxe;', '&lol9;', '&AMP;', '&Lt;', '&amp.;', '&a:b;'].flatMap((entity) =>
    all('stanza', 'restricted-xml', [entity, `<a b='${entity}'/>`]),
  ),
]

const references: Hostile[] = [
  '&',
  '& amp;',
  '&amp',
  '&amp ;',
  '&;',
  '&#;',
  '&#x;',
  '&#xG;',
  '&#X41;',
  '&#-1;',
  '&#+65;',
  '&# 65;',
  '&#65',
  '&#6 5;',
  '&#1e3;',
  '&#0;',
  '&#x0;',
  '&#x0000;',
  '&#1;',
  '&#8;',
  '&#11;',
  '&#x1F;',
  '&#xD800;',
  '&#xDBFF;&#xDC00;',
  '&#xDFFF;',
  '&#xFFFE;',
  '&#xFFFF;',
  '&#x110000;',
  '&#99999999999999999999;',
  '&&amp;',
].flatMap((reference) =>
  all('stanza', 'not-well-formed', [`${reference}<x/>`, `<a b='${reference}'/>`]),
)

const characters: Hostile[] = [0, 1, 2, 7, 8, 0x0b, 0x0c, 0x0e, 0x1a, 0x1b, 0x1f].flatMap(
  (code) => {
    const character = String.fromCharCode(code)
    return all('stanza', 'not-well-formed', [
      `x${character}y`,
      `<a b='${character}'/>`,
      `<![CDATA[${character}]]>`,
      `<a${character}/>`,
    ])
  },
)

/** RFC 6120 §4.9.3.22: not UTF-8 (RFC 3629). */
const encodings: Hostile[] = [
  '\x80',
  '\xbf',
  '\xc0\x80',
  '\xc0\xaf',
  '\xc1\xbf',
  '\xc0\xbc',
  '\xe0\x80\xbc',
  '\xe0\x9f\xbf',
  '\xed\xa0\x80',
  '\xed\xbf\xbf',
  '\xed\xa0\xbd\xed\xb8\x80',
  '\xf0\x80\x80\x80',
  '\xf0\x8f\xbf\xbf',
  '\xf4\x90\x80\x80',
  '\xf5\x80\x80\x80',
  '\xf8\x88\x80\x80\x80',
  '\xfe',
  '\xff',
  '\xc3',
  '\xe2\x82',
  '\xe2',
  '\xf0\x9f\x98',
  '\xe9t\xe9',
].flatMap((bytes) =>
  all('stanza', 'unsupported-encoding', [
    `x${bytes}<y/>`,
    `<a b='${bytes}'/>`,
    `<![CDATA[${bytes}]]>`,
    `<a${bytes}/>`,
    `<a b${bytes}=''/>`,
  ]),
)

const nonCharacters: Hostile[] = ['\xef\xbf\xbe', '\xef\xbf\xbf'].flatMap((bytes) =>
  all('stanza', 'not-well-formed', [
    bytes,
    `\xef\xbc\xa1${bytes}x`,
    `<a b='${bytes}'/>`,
    `<![CDATA[${bytes}]]>`,
    `<a${bytes}/>`,
  ]),
)

const names: Hostile[] = all('stanza', 'not-well-formed', [
  '<1a/>',
  '<-a/>',
  '<.a/>',
  '<:a/>',
  '<:/>',
  '<a:/>',
  '<a::b/>',
  "<a:b:c xmlns:a='u'/>",
  "<a:1 xmlns:a='u'/>",
  "<a:-b xmlns:a='u'/>",
  '< a/>',
  '<\ta/>',
  '<>',
  '</>',
  '<a%/>',
  '<a"/>',
  "<a'/>",
  '<a<b/>',
  '<a&amp;/>',
  '<a,b/>',
  '<a=b/>',
  '<\xc3\x97/>',
  '<a\xc3\x97/>',
  '<\xcc\x80a/>',
  '<\xc2\xb7a/>',
  '<a\xe2\x80\xa8/>',
  '<a\xe2\x80\x8b/>',
  "<a:\xcc\x80b xmlns:a='u'/>",
  '<a\xf3\xb0\x80\x80/>',
])

const attributes: Hostile[] = all('stanza', 'not-well-formed', [
  "<a 1='x'/>",
  "<a b:='x'/>",
  "<a :b='x'/>",
  "<a b:c:d='x'/>",
  "<a xml:1='x'/>",
  '<a b/>',
  '<a b>',
  '<a b=/>',
  '<a b=c/>',
  '<a b c="d"/>',
  '<a "b"/>',
  "<a ='b'/>",
  "<a b=='c'/>",
  "<a b=''c=''/>",
  "<ab=''/>",
  "<a'b'/>",
  "<a b='<'/>",
  "<a b='<![CDATA[x]]>'/>",
  "<a b='x\"/><y c='/>",
  '<a b="x\'/><y/>"<',
  '<a / >',
  "<a / b=''/>",
  '<a//>',
  '<a/ ></a>',
  "<a b='1' b='2'/>",
  "<a b='1' c='' b='1'/>",
  "<a xml:lang='en' xml:lang='en'/>",
  "<a xmlns='u' xmlns='u'/>",
  "<a xmlns:p='u' xmlns:p='v'/>",
  "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
  "<a xmlns:p='u' xmlns:q='&#117;' p:b='1' c='' q:b='2'/>",
  "<a \xc3\xa9='1' \xc3\xa9='2'/>",
  "<a \xc3\x97='1'/>",
])

const endTags: Hostile[] = [
  ...all('stanza', 'not-well-formed', [
    '<a></b>',
    '<a></A>',
    '<a></ a>',
    "<a></a b='c'>",
    '<a></aa>',
    '<aa></a>',
    '<a></a/>',
    '<a><//a>',
    '<a></p:a>',
    "<p:a xmlns:p='u'></a>",
    "<p:a xmlns:p='u' xmlns:q='u'></q:a>",
    "<p:a xmlns:p='u'></p>",
    '<a><b></a></b>',
    '</iq>',
    '</stream:stream>',
    '<\xc3\xa9></\xc3\xa8>',
    '<a></a\x00>',
  ]),
  ...all('stream', 'not-well-formed', [
    '</message>',
    '</stream>',
    '</stream:streams>',
    '</stream:strea>',
    "</stream:stream x='y'>",
    '</ stream:stream>',
    '</Stream:stream>',
    '</stream:stream/>',
    '</>',
  ]),
]

const namespaces: Hostile[] = all('stanza', 'not-well-formed', [
  '<p:a/>',
  "<a p:b=''/>",
  "<a><b xmlns:p='u'/><p:c/></a>",
  "<a xmlns:p=''/>",
  "<a xmlns:p='u'><b xmlns:p=''/></a>",
  "<a xmlns:xml='u'/>",
  "<a xmlns:xml=''/>",
  "<a xmlns:xmlns='u'/>",
  `<a xmlns:xmlns='${XMLNS}'/>`,
  `<a xmlns:p='${XML}'/>`,
  `<a xmlns:p='&#104;ttp://www.w3.org/XML/1998/namespace'/>`,
  `<a xmlns:p='${XMLNS}'/>`,
  `<a xmlns='${XML}'/>`,
  `<a xmlns='${XMLNS}'/>`,
  '<xmlns:a/>',
  '<xmlns:a xmlns:a="u"/>',
  "<a xmlns:1='u'/>",
  "<a xmlns:='u'/>",
  '<Stream:features/>',
])

const sections: Hostile[] = all('stanza', 'not-well-formed', [
  ']]>',
  'a]]>b',
  ']]]>',
  '&amp;]]>',
  '<a>]]></a>',
  '<![CDATA[a]]>]]>',
  '<![CDATA[a]] >]]>]]>',
  '<![cdata[x]]>',
  '<![CDATA x]]>',
  '<! [CDATA[x]]>',
  '<![ CDATA[x]]>',
  '<![INCLUDE[x]]>',
  '<!>',
  '<![>',
  '<![CDATA]>',
  '<=>',
  '<&',
  '<<a/>',
])

/** SEC-06: nothing inside a stanza may look like the stream to anybody (RFC 6120 §4.8.1). */
const smuggling: Hostile[] = [
  ...all('stanza', 'bad-format', [
    '<stream:stream>',
    `<stream:stream xmlns='jabber:client' to='x'>`,
    '<stream:features/>',
    '<stream:error/>',
    '<body><stream:stream/></body>',
    `<stream xmlns='${STREAMS}'/>`,
    `<a xmlns='${STREAMS}'/>`,
    `<a xmlns:s='${STREAMS}'><s:b/></a>`,
    `<a xmlns:s='http://etherx.jabber.org/stream&#115;'><b><s:c/></b></a>`,
    `<a xmlns='u' xmlns:u='${STREAMS}'><u:stream><message/></u:stream></a>`,
  ]),
  ...all('stream', 'bad-format', [
    '<stream:stream>',
    `<stream:stream xmlns='jabber:client' xmlns:stream='${STREAMS}' to='im.example' version='1.0'>`,
    `<stream xmlns='${STREAMS}'>`,
    `<s:stream xmlns:s='${STREAMS}'/>`,
    `<c:message xmlns:c='jabber:client' xmlns='${STREAMS}'><body/></c:message>`,
    `<iq xmlns:stream='u'><a xmlns:stream='${STREAMS}'><stream:b/></a></iq>`,
  ]),
  ...all('stream', 'invalid-namespace', [
    "<message xmlns=''><body/></message>",
    "<message xmlns='jabber:server'><body/></message>",
    "<s:iq xmlns:s='jabber:server'/>",
  ]),
]

const between: Hostile[] = [
  ...all('stream', 'bad-format', [
    'x',
    '&amp;',
    ']]>',
    '>',
    '\xef\xbb\xbf',
    '\xc3\xa9',
    '<![CDATA[ ]]>',
    ' \n x',
    '/>',
    '\x7f',
  ]),
  ...all('stream', 'not-well-formed', ['\x00', '\x01', ' \x1b', '< message/>', '<1/>', '<=/>']),
  ...all('stream', 'unsupported-encoding', ['\x80', '\xc0\xbc', '\xfe\xff', '\xff', '\xf8']),
]

/** Not XMPP at all, or not in UTF-8. */
const beginnings: Hostile[] = [
  ...all('start', 'not-well-formed', [
    'x',
    'GET / HTTP/1.1\r\n\r\n',
    'PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n',
    '\x16\x03\x01\x02\x00\x01',
    '\x1f\x8b\x08',
    '\xef\xbb\xbf<stream:stream>',
    '\x4c\x6f\xa7\x94',
    '{"to":"im.example"}',
    '</stream:stream>',
    '<1/>',
    "<?xml version='2.0'?>",
    '<?xml version="1.0\'?>',
    '<?xml version=1.0?>',
    "<?xml encoding='utf-8'?>",
    "<?xml version='1.0' encoding=''?>",
    "<?xml version='1.0'encoding='utf-8'?>",
    "<?xml version='1.0' standalone='maybe'?>",
    "<?xml version='1.0' standalone='yes' encoding='utf-8'?>",
    "<?xml version='1.0' x='y'?>",
    "<stream:stream xmlns='jabber:client'>",
    `<stream:stream xmlns='jabber:client' xmlns:stream='${STREAMS}' a='1' a='2'>`,
    `<stream:stream xmlns='jabber:client' xmlns:stream='${STREAMS}' p:a='1'>`,
  ]),
  ...all('start', 'unsupported-encoding', [
    '\xff\xfe<\x00?\x00',
    '\xfe\xff\x00<\x00?',
    '<\x00?\x00x\x00',
    '\x00<\x00?',
    '\x00\x00\x00<',
    '\x80',
    '\xc0\xbc',
    "<?xml version='1.0' encoding='ISO-8859-1'?>",
    "<?xml version='1.0' encoding='utf-16'?>",
    '<?xml version="1.0" encoding="US-ASCII"?>',
    "<?xml version='1.0' encoding='UTF8'?>",
    `<stream:stream xmlns='jabber:client' xmlns:stream='${STREAMS}' to='\xc0\xaf'>`,
  ]),
  ...all('start', 'policy-violation', [`<?xml version='1.0' ${' '.repeat(300)}?>`]),
]

const headers: Hostile[] = [
  ...all('start', 'invalid-namespace', [
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://wrong.example/'>",
    `<stream:stream xmlns='jabber:server' xmlns:stream='${STREAMS}'>`,
    `<stream:stream xmlns='wrong' xmlns:stream='${STREAMS}'>`,
    `<stream:stream xmlns:stream='${STREAMS}'>`,
    `<stream:stream xmlns='' xmlns:stream='${STREAMS}'>`,
    "<message xmlns='jabber:client'><body>early</body></message>",
    '<policy-file-request/>',
    '<html>',
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='im.example'/>",
    '<stream>',
  ]),
  ...all('start', 'bad-namespace-prefix', [
    "<stream xmlns='jabber:client'>",
    `<stream xmlns='${STREAMS}'>`,
    `<flow:stream xmlns='jabber:client' xmlns:flow='${STREAMS}'>`,
  ]),
  ...all('start', 'bad-format', [
    `<stream:message xmlns='jabber:client' xmlns:stream='${STREAMS}'>`,
    `<stream:features xmlns='jabber:client' xmlns:stream='${STREAMS}'/>`,
  ]),
]

export const hostile: readonly Hostile[] = [
  ...restricted,
  ...references,
  ...characters,
  ...encodings,
  ...nonCharacters,
  ...names,
  ...attributes,
  ...endTags,
  ...namespaces,
  ...sections,
  ...smuggling,
  ...between,
  ...beginnings,
  ...headers,
]
