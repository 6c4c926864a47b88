import { isLocal } from '@/lib/env'
import type { AccountField, AccountValues } from '@/lib/settings'
import { btcpayProvider } from './btcpay'
import { cryptoCloudProvider } from './cryptocloud'
import { cryptomusProvider } from './cryptomus'
import { fakepayProvider } from './fakepay'
import { nowpaymentsProvider } from './nowpayments'
import type { Provider } from './provider'
import { stripeProvider } from './stripe'
import { yookassaProvider } from './yookassa'

/** Why production does not take a value. */
export type ProductionRefusal = 'stand_in_in_production' | 'test_key_in_production'

/** A way to pay that this shop knows: what it has to be told, how the adapter is made of it, what production refuses. */
export type ProviderDefinition = {
  name: string
  /** The label of one is the text `adminSettings.field_<provider>_<name>`, where there is none `field_<name>`. */
  fields: readonly AccountField[]
  /** Makes the adapter; every required field is there and has its form. */
  build: (values: AccountValues) => Provider
  /** Where the vendor's pages are, beside its API's own origin: forms of ours may end there. */
  pageOrigin?: string
  /** The provider as a whole is a stand-in. */
  isStandIn?: true
  /** What of these settings brings no real money: the field, and why. */
  findTestSetting?: (values: AccountValues) => string | null
}

const apiUrl = (initial = ''): AccountField => ({
  name: 'apiUrl',
  kind: 'url',
  isSecret: false,
  isRequired: true,
  initial,
})
const text = (name: string, more: Partial<AccountField> = {}): AccountField => ({
  name,
  kind: 'text',
  isSecret: false,
  isRequired: true,
  initial: '',
  ...more,
})
const secret = (name: string, more: Partial<AccountField> = {}): AccountField => text(name, { isSecret: true, ...more })

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

/** What production does not take of these settings, and at which field; null when it takes them. Nothing is refused elsewhere. */
export function refuseInProduction(
  definition: ProviderDefinition,
  values: AccountValues,
): { field: string; code: ProductionRefusal } | null {
  if (definition.isStandIn) return { field: 'isEnabled', code: 'stand_in_in_production' }
  const url = values.apiUrl ?? ''
  if (URL.canParse(url) && isLocal(url)) return { field: 'apiUrl', code: 'stand_in_in_production' }
  const field = definition.findTestSetting?.(values)
  return field ? { field, code: 'test_key_in_production' } : null
}
