import { env } from '@/lib/env'
import { btcpayProvider } from './btcpay'
import { cryptoCloudProvider } from './cryptocloud'
import { cryptomusProvider } from './cryptomus'
import { fakepayProvider } from './fakepay'
import { nowpaymentsProvider } from './nowpayments'
import type { Provider } from './provider'
import { stripeProvider } from './stripe'
import { yookassaProvider } from './yookassa'

let enabled: readonly Provider[] | undefined

/** The providers this shop has settings for, in the order they are offered. */
export function enabledProviders(): readonly Provider[] {
  return (enabled ??= readProviders())
}

/** The provider of this name, or null when the shop has no settings for it. */
export function findProvider(name: string, providers: readonly Provider[] = enabledProviders()): Provider | null {
  return providers.find((provider) => provider.name === name) ?? null
}

function readProviders(): Provider[] {
  const settings = env()
  const providers: Provider[] = []
  if (settings.FAKEPAY_API_URL && settings.FAKEPAY_API_KEY && settings.FAKEPAY_WEBHOOK_SECRET)
    providers.push(
      fakepayProvider({
        apiUrl: settings.FAKEPAY_API_URL,
        apiKey: settings.FAKEPAY_API_KEY,
        webhookSecret: settings.FAKEPAY_WEBHOOK_SECRET,
      }),
    )
  if (
    settings.CRYPTOCLOUD_API_URL &&
    settings.CRYPTOCLOUD_API_KEY &&
    settings.CRYPTOCLOUD_SHOP_ID &&
    settings.CRYPTOCLOUD_SECRET
  )
    providers.push(
      cryptoCloudProvider({
        apiUrl: settings.CRYPTOCLOUD_API_URL,
        apiKey: settings.CRYPTOCLOUD_API_KEY,
        shopId: settings.CRYPTOCLOUD_SHOP_ID,
        secret: settings.CRYPTOCLOUD_SECRET,
      }),
    )
  if (settings.BTCPAY_API_URL && settings.BTCPAY_API_KEY && settings.BTCPAY_STORE_ID && settings.BTCPAY_WEBHOOK_SECRET)
    providers.push(
      btcpayProvider({
        apiUrl: settings.BTCPAY_API_URL,
        apiKey: settings.BTCPAY_API_KEY,
        storeId: settings.BTCPAY_STORE_ID,
        secret: settings.BTCPAY_WEBHOOK_SECRET,
      }),
    )
  if (settings.STRIPE_API_URL && settings.STRIPE_SECRET_KEY && settings.STRIPE_WEBHOOK_SECRET)
    providers.push(
      stripeProvider({
        apiUrl: settings.STRIPE_API_URL,
        secretKey: settings.STRIPE_SECRET_KEY,
        webhookSecret: settings.STRIPE_WEBHOOK_SECRET,
      }),
    )
  if (settings.NOWPAYMENTS_API_URL && settings.NOWPAYMENTS_API_KEY && settings.NOWPAYMENTS_IPN_SECRET)
    providers.push(
      nowpaymentsProvider({
        apiUrl: settings.NOWPAYMENTS_API_URL,
        apiKey: settings.NOWPAYMENTS_API_KEY,
        ipnSecret: settings.NOWPAYMENTS_IPN_SECRET,
        account:
          settings.NOWPAYMENTS_EMAIL && settings.NOWPAYMENTS_PASSWORD
            ? { email: settings.NOWPAYMENTS_EMAIL, password: settings.NOWPAYMENTS_PASSWORD }
            : null,
      }),
    )
  if (settings.CRYPTOMUS_API_URL && settings.CRYPTOMUS_MERCHANT_ID && settings.CRYPTOMUS_PAYMENT_KEY)
    providers.push(
      cryptomusProvider({
        apiUrl: settings.CRYPTOMUS_API_URL,
        merchantId: settings.CRYPTOMUS_MERCHANT_ID,
        paymentKey: settings.CRYPTOMUS_PAYMENT_KEY,
      }),
    )
  if (settings.YOOKASSA_API_URL && settings.YOOKASSA_SHOP_ID && settings.YOOKASSA_SECRET_KEY)
    providers.push(
      yookassaProvider({
        apiUrl: settings.YOOKASSA_API_URL,
        shopId: settings.YOOKASSA_SHOP_ID,
        secretKey: settings.YOOKASSA_SECRET_KEY,
        checksAddress: settings.YOOKASSA_CHECK_ADDRESS === 'yes',
      }),
    )
  return providers
}
