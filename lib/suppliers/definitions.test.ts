import { describe, expect, it } from 'vitest'
import { hasForm } from '@/lib/settings'
import { findSupplierDefinition, readOfferParams, SUPPLIER_DEFINITIONS, writeOfferParam } from './definitions'

const read = (supplier: string, typed: Record<string, string>) =>
  readOfferParams(findSupplierDefinition(supplier)!, typed)

describe('what an offer says to its supplier', () => {
  it.each<[string, Record<string, string>, Record<string, unknown>]>([
    ['px6', {}, { version: '4', type: 'http' }],
    ['px6', { version: '6', type: 'socks', other: 'x' }, { version: '6', type: 'socks' }],
    [
      'proxy-seller',
      { purpose: ' Market research ' },
      { section: 'ipv4', purpose: 'Market research', protocol: 'http' },
    ],
    [
      'proxy-cheap',
      { service: 'static-datacenter-ipv4', planId: 'p-1', ispId: '', protocol: 'socks5' },
      { service: 'static-datacenter-ipv4', planId: 'p-1', protocol: 'socks5' },
    ],
    [
      'iproyal',
      { productId: '9', plans: '30=23, 90=24', locations: 'DE=2;us=5' },
      { productId: 9, plans: { 30: 23, 90: 24 }, locations: { de: 2, us: 5 } },
    ],
    [
      'iproyal-residential',
      { location: '_country-de' },
      { host: 'geo.iproyal.com', port: 12_321, location: '_country-de' },
    ],
    ['webshare', { planId: '7' }, { planId: 7 }],
    ['webshare', {}, {}],
  ])('%s %j', (supplier, typed, params) => {
    expect(read(supplier, typed)).toEqual({ params })
  })

  it.each<[string, Record<string, string>, string, boolean]>([
    ['px6', { version: '5' }, 'version', false],
    ['proxy-seller', {}, 'purpose', true],
    ['proxy-seller', { purpose: 'x'.repeat(101) }, 'purpose', false],
    ['proxy-cheap', { service: 'static-datacenter-ipv4' }, 'planId', true],
    ['proxy-cheap', { planId: 'p' }, 'service', false],
    ['iproyal', { productId: '9', plans: '30', locations: 'de=2' }, 'plans', false],
    ['iproyal', { productId: '9', plans: '30=23', locations: 'germany=2' }, 'locations', false],
    ['iproyal', { productId: '9', plans: '30=1, 30=2', locations: 'de=2' }, 'plans', false],
    ['iproyal', { productId: '1e3', plans: '30=1', locations: 'de=2' }, 'productId', false],
    ['iproyal', { productId: '9', plans: '30=1' }, 'locations', true],
    ['iproyal-residential', { location: 'de' }, 'location', false],
    ['iproyal-residential', { port: '70000' }, 'port', false],
    ['webshare', { planId: '0' }, 'planId', false],
  ])('%s %j is refused at its field', (supplier, typed, wrong, isMissing) => {
    expect(read(supplier, typed)).toEqual({ wrong, isMissing })
  })

  it('is written into its fields as it is read from them', () => {
    const iproyal = findSupplierDefinition('iproyal')!
    const typed = { productId: '9', plans: '30=23, 90=24', locations: 'de=2, us=5' }
    const { params } = readOfferParams(iproyal, typed) as { params: object }
    expect(Object.fromEntries(iproyal.params.map((param) => [param.name, writeOfferParam(param, params)]))).toEqual(
      typed,
    )
    expect(writeOfferParam(iproyal.params[0]!, null)).toBe('')
  })
})

it('a key is one line of visible characters that can stand in a path; an address hides nothing', () => {
  const [url, key] = findSupplierDefinition('px6')!.fields
  for (const bad of ['', 'a b', 'a/b', 'a?b', 'a#b', 'ä', 'a\nb', 'x'.repeat(501)])
    expect(hasForm(key!, bad)).toBe(false)
  for (const bad of ['px6.link', 'ftp://x', 'https://a:b@x', 'https://x?a=1', 'https://x#a'])
    expect(hasForm(url!, bad)).toBe(false)
  for (const { fields } of SUPPLIER_DEFINITIONS)
    for (const field of fields.filter(({ isSecret }) => !isSecret)) expect(hasForm(field, field.initial)).toBe(true)
})
