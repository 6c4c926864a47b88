import { isLocal } from '@/lib/env'
import { btcpayProvider } from './btcpay'
import { cryptoCloudProvider } from './cryptocloud'
import { cryptomusProvider } from './cryptomus'
import { fakepayProvider } from './fakepay'
import { nowpaymentsProvider } from './nowpayments'
import type { Provider } from './provider'
import { stripeProvider } from './stripe'
import { yookassaProvider } from './yookassa'

/** One setting of a provider. Its label is the text `adminSettings.field_<provider>_<name>`, where there is none `field_<name>`. */
export type ProviderField = {
  name: string
  kind: 'text' | 'url' | 'yes_no'
  isSecret: boolean
  /** Without it the provider cannot be switched on. Fields of one `pair` are needed both or neither. */
  isRequired: boolean
  pair?: string
  /** What it is until an operator says otherwise. */
  initial: string
  /** What is not this vendor's own form, so that a value in the wrong field is noticed before the vendor refuses it. */
  form?: RegExp
}

export type ProviderValues = Readonly<Record<string, string>>
/** Why production does not take a value. */
export type ProductionRefusal = 'stand_in_in_production' | 'test_key_in_production'

/** A way to pay that this shop knows: what it has to be told, how the adapter is made of it, what production refuses. */
export type ProviderDefinition = {
  name: string
  fields: readonly ProviderField[]
  /** Makes the adapter; every required field is there and has its form. */
  build: (values: ProviderValues) => Provider
  /** Where the vendor's pages are, beside its API's own origin: forms of ours may end there. */
  pageOrigin?: string
  /** The provider as a whole is a stand-in. */
  isStandIn?: true
  /** What of these settings brings no real money: the field, and why. */
  findTestSetting?: (values: ProviderValues) => string | null
}

const apiUrl = (initial = ''): ProviderField => ({
  name: 'apiUrl',
  kind: 'url',
  isSecret: false,
  isRequired: true,
  initial,
})
const text = (name: string, more: Partial<ProviderField> = {}): ProviderField => ({
  name,
  kind: 'text',
  isSecret: false,
  isRequired: true,
  initial: '',
  ...more,
})
const secret = (name: string, more: Partial<ProviderField> = {}): ProviderField =>
  text(name, { isSecret: true, ...more })

/** Every way to pay, in the order they are offered. */
export const PROVIDER_DEFINITIONS: readonly ProviderDefinition[] = [
  {
    name: 'fakepay',
    isStandIn: true,
    // Standard Webhooks: at least sixteen bytes in base64 after the prefix.
    fields: [apiUrl(), secret('apiKey'), secret('webhookSecret', { form: /^whsec_[A-Za-z0-9+/]{22,}={0,2}$/ })],
    build: (values) =>
      fakepayProvider({ apiUrl: values.apiUrl!, apiKey: values.apiKey!, webhookSecret: values.webhookSecret! }),
  },
  {
    name: 'cryptocloud',
    fields: [apiUrl('https://api.cryptocloud.plus'), secret('apiKey'), text('shopId'), secret('secret')],
    pageOrigin: 'https://pay.cryptocloud.plus',
    build: (values) =>
      cryptoCloudProvider({
        apiUrl: values.apiUrl!,
        apiKey: values.apiKey!,
        shopId: values.shopId!,
        secret: values.secret!,
      }),
  },
  {
    name: 'btcpay',
    fields: [apiUrl(), secret('apiKey'), text('storeId'), secret('secret')],
    build: (values) =>
      btcpayProvider({
        apiUrl: values.apiUrl!,
        apiKey: values.apiKey!,
        storeId: values.storeId!,
        secret: values.secret!,
      }),
  },
  {
    name: 'stripe',
    fields: [apiUrl('https://api.stripe.com'), secret('secretKey'), secret('webhookSecret')],
    pageOrigin: 'https://checkout.stripe.com',
    findTestSetting: (values) => (/^[a-z]+_test_/.test(values.secretKey ?? '') ? 'secretKey' : null),
    build: (values) =>
      stripeProvider({
        apiUrl: values.apiUrl!,
        secretKey: values.secretKey!,
        webhookSecret: values.webhookSecret!,
      }),
  },
  {
    name: 'nowpayments',
    fields: [
      apiUrl('https://api.nowpayments.io'),
      secret('apiKey'),
      secret('ipnSecret'),
      text('email', { isRequired: false, pair: 'account' }),
      secret('password', { isRequired: false, pair: 'account' }),
    ],
    pageOrigin: 'https://nowpayments.io',
    findTestSetting: (values) =>
      URL.canParse(values.apiUrl ?? '') && new URL(values.apiUrl!).hostname.includes('sandbox') ? 'apiUrl' : null,
    build: (values) =>
      nowpaymentsProvider({
        apiUrl: values.apiUrl!,
        apiKey: values.apiKey!,
        ipnSecret: values.ipnSecret!,
        account: values.email && values.password ? { email: values.email, password: values.password } : null,
      }),
  },
  {
    name: 'cryptomus',
    fields: [apiUrl('https://api.cryptomus.com'), text('merchantId'), secret('paymentKey')],
    pageOrigin: 'https://pay.cryptomus.com',
    build: (values) =>
      cryptomusProvider({
        apiUrl: values.apiUrl!,
        merchantId: values.merchantId!,
        paymentKey: values.paymentKey!,
      }),
  },
  {
    name: 'yookassa',
    fields: [
      apiUrl('https://api.yookassa.ru'),
      text('shopId'),
      secret('secretKey'),
      text('checksAddress', { kind: 'yes_no', isRequired: false, initial: 'no' }),
    ],
    pageOrigin: 'https://yoomoney.ru',
    findTestSetting: (values) => (values.secretKey?.startsWith('test_') ? 'secretKey' : null),
    build: (values) =>
      yookassaProvider({
        apiUrl: values.apiUrl!,
        shopId: values.shopId!,
        secretKey: values.secretKey!,
        checksAddress: values.checksAddress === 'yes',
      }),
  },
]

/** The definition of this name, or null for a provider this shop does not know. */
export function findDefinition(name: string): ProviderDefinition | null {
  return PROVIDER_DEFINITIONS.find((each) => each.name === name) ?? null
}

/** Whether a value has the form its field asks for: an address is http(s) without anything that hides or adds, a text is one visible line. */
export function hasForm(field: ProviderField, value: string): boolean {
  if (field.kind === 'yes_no') return value === 'yes' || value === 'no'
  // Keys travel in headers, which take visible characters only.
  if (!/^[!-~]{1,500}$/.test(value)) return false
  if (field.form) return field.form.test(value)
  if (field.kind !== 'url') return true
  if (!URL.canParse(value)) return false
  const url = new URL(value)
  return /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash
}

/** The first field that is missing: required, or one of a pair whose other is there. Null when the settings are whole. */
export function findMissing(definition: ProviderDefinition, values: ProviderValues): ProviderField | null {
  const isSet = (field: ProviderField): boolean => Boolean(values[field.name])
  const missing = definition.fields.find((field) => {
    if (isSet(field)) return false
    if (field.isRequired) return true
    return definition.fields.some((other) => field.pair !== undefined && other.pair === field.pair && isSet(other))
  })
  return missing ?? null
}

/** What production does not take of these settings, and at which field; null when it takes them. Nothing is refused elsewhere. */
export function refuseInProduction(
  definition: ProviderDefinition,
  values: ProviderValues,
): { field: string; code: ProductionRefusal } | null {
  if (definition.isStandIn) return { field: 'isEnabled', code: 'stand_in_in_production' }
  const url = values.apiUrl ?? ''
  if (URL.canParse(url) && isLocal(url)) return { field: 'apiUrl', code: 'stand_in_in_production' }
  const field = definition.findTestSetting?.(values)
  return field ? { field, code: 'test_key_in_production' } : null
}
