import path from 'node:path'
import { botToken, DEMO_ACCOUNT_EMAIL } from '../scripts/demo-services'
import { openInstance } from '../scripts/instance'
import { startBtcpayFake } from './btcpay'
import { startCryptoCloudFake } from './cryptocloud'
import { startCryptomusFake } from './cryptomus'
import { startEcho } from './echo'
import { startExit } from './exit'
import { startFakepay } from './fakepay'
import { startIproyalFake } from './iproyal'
import { startIproyalResidentialFake } from './iproyal-residential'
import { startMailFake } from './mail'
import { startNowpaymentsFake } from './nowpayments'
import { startProxyCheapFake } from './proxy-cheap'
import { startProxySellerFake } from './proxy-seller'
import { startPx6Fake } from './px6'
import { startStripeFake } from './stripe'
import { startTelegramFake } from './telegram'
import { startWebshareFake } from './webshare'
import { startYookassaFake } from './yookassa'

/**
 * All stand-ins of one data folder in one process: `tsx fakes/main.ts <data folder> <address of the shop>`. Ports and keys are those
 * of its instance.json; what each remembers lies in <data folder>/fakes.
 */
const [dataDir, shopUrl] = process.argv.slice(2)
if (!dataDir || !shopUrl) {
  console.error('Usage: tsx fakes/main.ts <data folder> <address of the shop>')
  process.exit(1)
}
const instance = await openInstance(path.resolve(dataDir))
const { ports, secrets } = instance
const stateFile = (name: string) => path.join(path.resolve(dataDir), 'fakes', `${name}.json`)

const px6 = await startPx6Fake({
  port: ports.px6,
  stateFile: stateFile('px6'),
  apiKey: secrets.px6Key,
  exitPort: ports.exit,
})
const iproyal = await startIproyalFake({
  port: ports.iproyal,
  stateFile: stateFile('iproyal'),
  apiKey: secrets.iproyalKey,
  exitPort: ports.exit,
})
const iproyalResidential = await startIproyalResidentialFake({
  port: ports.iproyalResidential,
  stateFile: stateFile('iproyal-residential'),
  apiKey: secrets.iproyalResidentialKey,
})
const webshare = await startWebshareFake({
  port: ports.webshare,
  stateFile: stateFile('webshare'),
  apiKey: secrets.webshareKey,
  exitPort: ports.exit,
})
const proxySeller = await startProxySellerFake({
  port: ports.proxySeller,
  stateFile: stateFile('proxy-seller'),
  apiKey: secrets.proxySellerKey,
  exitPort: ports.exit,
})
const proxyCheap = await startProxyCheapFake({
  port: ports.proxyCheap,
  stateFile: stateFile('proxy-cheap'),
  apiKey: secrets.proxyCheapKey,
  apiSecret: secrets.proxyCheapSecret,
  exitPort: ports.exit,
})
const sellers = [webshare, px6, iproyal, iproyalResidential, proxySeller, proxyCheap]
const isSold = (username: string, password: string) => sellers.some((seller) => seller.isSold(username, password))
const started: { close: () => Promise<void> }[] = [
  ...sellers,
  await startExit({ port: ports.exit, key: secrets.exitKey, isSold }),
  await startEcho({ port: ports.echo }),
  await startMailFake({
    port: ports.mail,
    stateFile: stateFile('mail'),
    apiKey: secrets.mailKey,
    webhook: { url: `${shopUrl}/api/webhooks/resend`, secret: secrets.mailWebhook, isAutomatic: true },
  }),
  await startTelegramFake({
    port: ports.telegram,
    stateFile: stateFile('telegram'),
    token: botToken(instance),
    webhookUrl: `${shopUrl}/api/webhooks/telegram`,
  }),
  await startFakepay({
    port: ports.fakepay,
    stateFile: stateFile('fakepay'),
    apiKey: secrets.fakepayKey,
    secret: secrets.fakepayWebhook,
  }),
  await startCryptoCloudFake({
    port: ports.cryptocloud,
    stateFile: stateFile('cryptocloud'),
    apiKey: secrets.cryptocloudKey,
    shopId: secrets.cryptocloudShopId,
    secret: secrets.cryptocloud,
    notifyUrl: `${shopUrl}/api/webhooks/cryptocloud`,
    returnUrl: `${shopUrl}/account/payments`,
  }),
  await startBtcpayFake({
    port: ports.btcpay,
    stateFile: stateFile('btcpay'),
    apiKey: secrets.btcpayKey,
    storeId: secrets.btcpayStoreId,
    secret: secrets.btcpay,
    notifyUrl: `${shopUrl}/api/webhooks/btcpay`,
  }),
  await startStripeFake({
    port: ports.stripe,
    stateFile: stateFile('stripe'),
    secretKey: secrets.stripeKey,
    webhookSecret: secrets.stripeWebhook,
    notifyUrl: `${shopUrl}/api/webhooks/stripe`,
  }),
  await startNowpaymentsFake({
    port: ports.nowpayments,
    stateFile: stateFile('nowpayments'),
    apiKey: secrets.nowpaymentsKey,
    ipnSecret: secrets.nowpayments,
    email: DEMO_ACCOUNT_EMAIL,
    password: secrets.nowpaymentsPassword,
  }),
  await startCryptomusFake({
    port: ports.cryptomus,
    stateFile: stateFile('cryptomus'),
    merchantId: secrets.cryptomusMerchantId,
    paymentKey: secrets.cryptomus,
  }),
  await startYookassaFake({
    port: ports.yookassa,
    stateFile: stateFile('yookassa'),
    shopId: secrets.yookassaShopId,
    secretKey: secrets.yookassa,
    notifyUrl: `${shopUrl}/api/webhooks/yookassa`,
  }),
]

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void Promise.all(started.map((each) => each.close())).then(() => process.exit(0)))
