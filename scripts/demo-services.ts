import type { Instance } from './instance'

/** The shop's own account at stand-ins that ask for one. */
export const DEMO_ACCOUNT_EMAIL = 'shop@localhost'

/** The payment providers that have a stand-in, each with the secret that signs its callbacks. */
const PROVIDER_SECRETS = {
  fakepay: 'fakepayWebhook',
  cryptocloud: 'cryptocloud',
  btcpay: 'btcpay',
  stripe: 'stripeWebhook',
  nowpayments: 'nowpayments',
  cryptomus: 'cryptomus',
  yookassa: 'yookassa',
} as const
type DemoProvider = keyof typeof PROVIDER_SECRETS

/** Where the stand-ins of a demo answer and what opens them; the shape of the same names in `demo.json`. */
export type DemoServices = {
  url: string
  inboxUrl: string
  echoUrl: string
  mail: { apiUrl: string; controlUrl: string }
  providers: Record<DemoProvider, { webhookUrl: string; secret: string; apiUrl: string; controlUrl: string }>
  suppliers: Record<'px6', { apiUrl: string; key: string; controlUrl: string }>
  /** The local proxy. Stock for it is made with stockCredential(index, key) of fakes/exit.ts. */
  exit: { host: string; port: number; key: string }
}

/** The stand-ins of this instance, for a shop at `url`. */
export function demoServices(instance: Instance, url: string): DemoServices {
  const { ports, secrets } = instance
  const at = (name: keyof Instance['ports']) => `http://127.0.0.1:${ports[name]}`
  return {
    url,
    inboxUrl: at('mail'),
    echoUrl: at('echo'),
    mail: { apiUrl: at('mail'), controlUrl: `${at('mail')}/control` },
    providers: Object.fromEntries(
      Object.entries(PROVIDER_SECRETS).map(([name, secret]) => [
        name,
        {
          webhookUrl: `${url}/api/webhooks/${name}`,
          secret: secrets[secret],
          apiUrl: at(name as DemoProvider),
          controlUrl: `${at(name as DemoProvider)}/control`,
        },
      ]),
    ) as DemoServices['providers'],
    suppliers: { px6: { apiUrl: `${at('px6')}/api`, key: secrets.px6Key, controlUrl: `${at('px6')}/control` } },
    exit: { host: '127.0.0.1', port: ports.exit, key: secrets.exitKey },
  }
}

/** The settings that point a demo shop at its stand-ins, by the outside service they belong to. */
export function demoSettings(instance: Instance): Record<string, string>[] {
  const { secrets } = instance
  const services = demoServices(instance, '')
  return [
    { RESEND_API_URL: services.mail.apiUrl, RESEND_API_KEY: secrets.mailKey },
    {
      FAKEPAY_API_URL: services.providers.fakepay.apiUrl,
      FAKEPAY_API_KEY: secrets.fakepayKey,
      FAKEPAY_WEBHOOK_SECRET: secrets.fakepayWebhook,
    },
    {
      CRYPTOCLOUD_API_URL: services.providers.cryptocloud.apiUrl,
      CRYPTOCLOUD_API_KEY: secrets.cryptocloudKey,
      CRYPTOCLOUD_SHOP_ID: secrets.cryptocloudShopId,
      CRYPTOCLOUD_SECRET: secrets.cryptocloud,
    },
    {
      BTCPAY_API_URL: services.providers.btcpay.apiUrl,
      BTCPAY_API_KEY: secrets.btcpayKey,
      BTCPAY_STORE_ID: secrets.btcpayStoreId,
      BTCPAY_WEBHOOK_SECRET: secrets.btcpay,
    },
    {
      STRIPE_API_URL: services.providers.stripe.apiUrl,
      STRIPE_SECRET_KEY: secrets.stripeKey,
      STRIPE_WEBHOOK_SECRET: secrets.stripeWebhook,
    },
    {
      NOWPAYMENTS_API_URL: services.providers.nowpayments.apiUrl,
      NOWPAYMENTS_API_KEY: secrets.nowpaymentsKey,
      NOWPAYMENTS_IPN_SECRET: secrets.nowpayments,
      NOWPAYMENTS_EMAIL: DEMO_ACCOUNT_EMAIL,
      NOWPAYMENTS_PASSWORD: secrets.nowpaymentsPassword,
    },
    {
      CRYPTOMUS_API_URL: services.providers.cryptomus.apiUrl,
      CRYPTOMUS_MERCHANT_ID: secrets.cryptomusMerchantId,
      CRYPTOMUS_PAYMENT_KEY: secrets.cryptomus,
    },
    {
      YOOKASSA_API_URL: services.providers.yookassa.apiUrl,
      YOOKASSA_SHOP_ID: secrets.yookassaShopId,
      YOOKASSA_SECRET_KEY: secrets.yookassa,
    },
    { PX6_API_URL: services.suppliers.px6.apiUrl, PX6_API_KEY: secrets.px6Key },
  ]
}
