import { z } from 'zod'
import { createIproyal } from './iproyal/create-iproyal'
import { iproyalParamsSchema } from './iproyal/schemas'
import { createIproyalResidential } from './iproyal-residential/create-iproyal-residential'
import { residentialParamsSchema } from './iproyal-residential/schemas'
import { createProxyCheap } from './proxy-cheap/create-proxy-cheap'
import { proxyCheapParamsSchema } from './proxy-cheap/schemas'
import { createProxySeller } from './proxy-seller/create-proxy-seller'
import { proxySellerParamsSchema } from './proxy-seller/schemas'
import { createPx6 } from './px6/create-px6'
import { px6ParamsSchema } from './px6/schemas'
import type { Supplier, SupplierModel } from './supplier'
import { createWebshare } from './webshare/create-webshare'
import { webshareParamsSchema } from './webshare/schemas'

/** One setting of our account at a supplier, as lib/settings takes it. Every one is needed before the supplier can be used. */
export type SupplierField = {
  name: string
  kind: 'text' | 'url'
  isSecret: boolean
  isRequired: true
  initial: string
  form?: RegExp
}

/**
 * One thing that an offer says to its supplier, as a form asks for it. `map`: pairs like "30=23, 90=24". An empty optional one is left out, so that the
 * supplier's schema says what holds then.
 */
export type SupplierParam = {
  name: string
  kind: 'choice' | 'text' | 'number' | 'map'
  choices?: readonly string[]
  isRequired: boolean
}

export type SupplierValues = Readonly<Record<string, string>>
type BuildOptions = { fetch?: typeof fetch; timeoutMs?: number }

/** A supplier that this shop knows: what it has to be told, what an offer of it says, and how the adapter is made. */
export type SupplierDefinition = {
  name: string
  model: SupplierModel
  fields: readonly SupplierField[]
  params: readonly SupplierParam[]
  paramsSchema: z.ZodType<Record<string, unknown>>
  /** Makes the adapter; every field is there and has its form. */
  build: (values: SupplierValues, options?: BuildOptions) => Supplier
  /** Whether the supplier's own words, in an answer that is not about rights by its status, say that the key is wrong. */
  refusesKey?: (answer: string) => boolean
}

const apiUrl = (initial: string): SupplierField => ({
  name: 'apiUrl',
  kind: 'url',
  isSecret: false,
  isRequired: true,
  initial,
})
const secret = (name: string): SupplierField => ({
  name,
  kind: 'text',
  isSecret: true,
  isRequired: true,
  initial: '',
  // A key may be part of a path: what would end it there cannot be in one.
  form: /^[^/?#\\]+$/,
})
const at = (values: SupplierValues) => ({ baseUrl: values.apiUrl!, apiKey: values.apiKey! })

/** Every supplier, in the order they are shown. */
export const SUPPLIER_DEFINITIONS: readonly SupplierDefinition[] = [
  {
    name: 'px6',
    model: 'order',
    fields: [apiUrl('https://px6.link/api'), secret('apiKey')],
    params: [
      { name: 'version', kind: 'choice', choices: ['4', '3', '6'], isRequired: true },
      { name: 'type', kind: 'choice', choices: ['http', 'socks'], isRequired: true },
    ],
    paramsSchema: px6ParamsSchema,
    build: (values, options) => createPx6({ ...at(values), ...options }),
    // Their error 100 is a wrong key, 105 an address that is not on the key's list.
    refusesKey: (answer) => /"error_id"\s*:\s*"?(100|105)\b/.test(answer),
  },
  {
    name: 'proxy-seller',
    model: 'order',
    fields: [apiUrl('https://proxy-seller.com/personal/api/v2'), secret('apiKey')],
    params: [
      { name: 'section', kind: 'choice', choices: ['ipv4', 'isp'], isRequired: true },
      { name: 'purpose', kind: 'text', isRequired: true },
      { name: 'protocol', kind: 'choice', choices: ['http', 'socks5'], isRequired: true },
    ],
    paramsSchema: proxySellerParamsSchema,
    build: (values, options) => createProxySeller({ ...at(values), ...options }),
    // One triple of 503 stands for a wrong key, a wrong address and too many requests.
    refusesKey: (answer) => (answer.match(/"code"\s*:\s*"?503\b/g) ?? []).length === 3,
  },
  {
    name: 'proxy-cheap',
    model: 'order',
    fields: [apiUrl('https://api.proxy-cheap.com'), secret('apiKey'), secret('apiSecret')],
    params: [
      {
        name: 'service',
        kind: 'choice',
        choices: ['static-residential-ipv4', 'static-datacenter-ipv4'],
        isRequired: true,
      },
      { name: 'planId', kind: 'text', isRequired: true },
      { name: 'ispId', kind: 'text', isRequired: false },
      { name: 'protocol', kind: 'choice', choices: ['http', 'socks5'], isRequired: true },
    ],
    paramsSchema: proxyCheapParamsSchema,
    build: (values, options) => createProxyCheap({ ...at(values), apiSecret: values.apiSecret!, ...options }),
  },
  {
    name: 'iproyal',
    model: 'order',
    fields: [apiUrl('https://apid.iproyal.com/v1/reseller'), secret('apiKey')],
    params: [
      { name: 'productId', kind: 'number', isRequired: true },
      { name: 'plans', kind: 'map', isRequired: true },
      { name: 'locations', kind: 'map', isRequired: true },
    ],
    paramsSchema: iproyalParamsSchema,
    build: (values, options) => createIproyal({ ...at(values), ...options }),
  },
  {
    name: 'iproyal-residential',
    model: 'traffic',
    fields: [apiUrl('https://resi-api.iproyal.com/v1'), secret('apiKey')],
    params: [
      { name: 'host', kind: 'text', isRequired: false },
      { name: 'port', kind: 'number', isRequired: false },
      { name: 'location', kind: 'text', isRequired: false },
    ],
    paramsSchema: residentialParamsSchema,
    build: (values, options) => createIproyalResidential({ ...at(values), ...options }),
  },
  {
    name: 'webshare',
    model: 'pool',
    fields: [apiUrl('https://proxy.webshare.io'), secret('apiKey')],
    params: [{ name: 'planId', kind: 'number', isRequired: false }],
    paramsSchema: webshareParamsSchema,
    build: (values, options) => createWebshare({ ...at(values), ...options }),
  },
]

/** The definition of this name, or null for a supplier this shop does not know. */
export function findSupplierDefinition(name: string): SupplierDefinition | null {
  return SUPPLIER_DEFINITIONS.find((each) => each.name === name) ?? null
}

/** The params of an offer from what was typed, or the first field that does not hold. Fields that are not the supplier's are not read. */
export function readOfferParams(
  definition: SupplierDefinition,
  typed: Readonly<Record<string, string>>,
): { params: Record<string, unknown> } | { wrong: string; isMissing: boolean } {
  const raw: Record<string, unknown> = {}
  for (const param of definition.params) {
    const text = (typed[param.name] ?? '').trim()
    if (text === '') {
      if (param.isRequired && param.kind !== 'choice') return { wrong: param.name, isMissing: true }
      continue
    }
    const value = readParam(param, text)
    if (value === null) return { wrong: param.name, isMissing: false }
    raw[param.name] = value
  }
  const parsed = definition.paramsSchema.safeParse(raw)
  if (parsed.success) return { params: parsed.data }
  return { wrong: String(parsed.error.issues[0]?.path[0] ?? definition.params[0]!.name), isMissing: false }
}

function readParam(param: SupplierParam, text: string): unknown {
  if (param.kind === 'choice') return param.choices!.includes(text) ? text : null
  if (param.kind === 'number') return /^\d{1,9}$/.test(text) ? Number(text) : null
  if (param.kind === 'text') return text
  const pairs = text.split(/[\s,;]+/).filter(Boolean)
  const entries = pairs.map((pair) => /^([A-Za-z0-9]{1,10})=(\d{1,9})$/.exec(pair))
  if (entries.length === 0 || entries.some((entry) => entry === null)) return null
  const keys = entries.map((entry) => entry![1]!.toLowerCase())
  if (new Set(keys).size < keys.length) return null
  return Object.fromEntries(entries.map((entry, index) => [keys[index]!, Number(entry![2])]))
}

/** A param as its form field shows it; the other way of readOfferParams. */
export function writeOfferParam(param: SupplierParam, params: unknown): string {
  const value = (params as Record<string, unknown> | null)?.[param.name]
  if (value === undefined || value === null) return ''
  if (param.kind !== 'map') return String(value)
  return Object.entries(value as Record<string, number>)
    .map(([key, id]) => `${key}=${id}`)
    .join(', ')
}
