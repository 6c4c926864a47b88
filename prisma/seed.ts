import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { stockCredential } from '@/fakes/exit'
import { SYSTEM } from '@/lib/audit'
import {
  type SaveOfferInput,
  saveOffer,
  COMMON_POLICY,
  type Policy,
  savePlan,
  savePolicy,
  type SavePlanInput,
  saveProduct,
  type SaveProductInput,
} from '@/lib/catalog'
import { db } from '@/lib/db'
import { env } from '@/lib/env'
import { createAccount, type Role } from '@/lib/identity'
import { invariant, MICROS_PER_UNIT, type Result } from '@/lib/kit'
import { saveTelegram } from '@/lib/notices'
import { saveProvider } from '@/lib/payments'
import { savePromotion, savePromotionSchema } from '@/lib/promotions'
import { referralProgramme, saveCommissionRule } from '@/lib/referrals'
import { importStock, saveSupplier, syncStock } from '@/lib/provisioning'
import type { DemoServices } from '@/scripts/demo-services'
import { writeWhole } from '@/scripts/instance'

/**
 * Fills an empty shop with a demo: staff and customers with random passwords, a catalogue, and stock that leads through the local exit.
 * Everything goes through the commands that people use. `demo.json`, which names the logins, is the last thing written: a seed that was
 * cut off runs again and finds what is there.
 */
const COUNTRIES = ['NL', 'DE', 'US'] as const
/** Enough to try every quantity step of the stock plans in each country. */
const UNITS_PER_OFFER = 150

type PlanSeed = Omit<SavePlanInput, 'productId' | 'planId' | 'revision' | 'isActive'> & {
  offers: Pick<SaveOfferInput, 'countryCode' | 'supplier' | 'params' | 'priority'>[]
}
type ProductSeed = Omit<SaveProductInput, 'productId' | 'isActive'> & { plans: PlanSeed[] }

/** A price as the seed writes it: thousandths of the shop's currency. */
const milli = (thousandths: number) => (BigInt(thousandths) * MICROS_PER_UNIT) / 1000n

const PRODUCTS: ProductSeed[] = [
  {
    slug: 'datacenter-ipv4',
    kind: 'datacenter_ipv4',
    nameEn: 'Datacenter IPv4',
    nameRu: 'Серверные IPv4',
    descriptionEn:
      'An address of your own in a data centre: fast, steady, for one customer only. Works with every tool that speaks HTTP.',
    descriptionRu:
      'Отдельный адрес в дата-центре: быстрый, стабильный, только для вас. Подходит для любых программ, которые работают по HTTP.',
    plans: [
      {
        slug: 'datacenter-ipv4',
        nameEn: 'Dedicated IPv4',
        nameRu: 'Выделенные IPv4',
        minQuantity: 1,
        maxQuantity: 500,
        periods: [
          { days: 7, unitPriceMicros: milli(450) },
          { days: 30, unitPriceMicros: milli(1200) },
          { days: 90, unitPriceMicros: milli(3200) },
        ],
        steps: [
          { fromQuantity: 5, discountBasisPoints: 300 },
          { fromQuantity: 20, discountBasisPoints: 700 },
          { fromQuantity: 100, discountBasisPoints: 1500 },
        ],
        offers: COUNTRIES.map((countryCode) => ({ countryCode, supplier: 'stock', priority: 0 })),
      },
      {
        slug: 'shared-ipv4',
        nameEn: 'Shared IPv4',
        nameRu: 'Общие IPv4',
        minQuantity: 1,
        maxQuantity: 200,
        periods: [
          { days: 7, unitPriceMicros: milli(150) },
          { days: 30, unitPriceMicros: milli(400) },
        ],
        steps: [{ fromQuantity: 10, discountBasisPoints: 500 }],
        offers: [
          { countryCode: 'US', supplier: 'px6', params: { version: '3' }, priority: 0 },
          { countryCode: 'GB', supplier: 'px6', params: { version: '3' }, priority: 0 },
        ],
      },
    ],
  },
  {
    slug: 'isp',
    kind: 'isp',
    nameEn: 'Static residential (ISP)',
    nameRu: 'Статичные резидентные (ISP)',
    descriptionEn:
      'Addresses that belong to internet providers but stay yours for the whole period. For accounts that dislike data centres.',
    descriptionRu:
      'Адреса интернет-провайдеров, закреплённые за вами на весь срок. Для сервисов, которые не любят дата-центры.',
    plans: [
      {
        slug: 'isp',
        nameEn: 'ISP',
        nameRu: 'ISP',
        minQuantity: 1,
        maxQuantity: 100,
        periods: [
          { days: 30, unitPriceMicros: milli(2900) },
          { days: 90, unitPriceMicros: milli(7900) },
        ],
        steps: [
          { fromQuantity: 5, discountBasisPoints: 400 },
          { fromQuantity: 25, discountBasisPoints: 1000 },
        ],
        offers: [
          { countryCode: 'US', supplier: 'stock', priority: 0 },
          { countryCode: 'GB', supplier: 'stock', priority: 0 },
        ],
      },
      {
        slug: 'isp-to-order',
        nameEn: 'ISP, to order',
        nameRu: 'ISP под заказ',
        minQuantity: 1,
        maxQuantity: 100,
        periods: [
          { days: 30, unitPriceMicros: milli(3900) },
          { days: 90, unitPriceMicros: milli(10_900) },
        ],
        steps: [{ fromQuantity: 10, discountBasisPoints: 500 }],
        offers: [
          {
            countryCode: 'DE',
            supplier: 'iproyal',
            params: { productId: '9', plans: '30=23, 90=25', locations: 'de=2' },
            priority: 0,
          },
        ],
      },
    ],
  },
  {
    slug: 'datacenter-ipv6',
    kind: 'datacenter_ipv6',
    nameEn: 'Datacenter IPv6',
    nameRu: 'Серверные IPv6',
    descriptionEn:
      'The cheapest way to many addresses. Reaches sites that support IPv6; bought from the supplier the moment you order.',
    descriptionRu:
      'Самый дешёвый способ получить много адресов. Работает с сайтами, которые поддерживают IPv6; закупается у поставщика в момент заказа.',
    plans: [
      {
        slug: 'datacenter-ipv6',
        nameEn: 'IPv6',
        nameRu: 'IPv6',
        minQuantity: 5,
        maxQuantity: 500,
        periods: [
          { days: 7, unitPriceMicros: milli(35) },
          { days: 30, unitPriceMicros: milli(90) },
        ],
        steps: [
          { fromQuantity: 50, discountBasisPoints: 1000 },
          { fromQuantity: 200, discountBasisPoints: 2000 },
        ],
        offers: ['US', 'DE'].map((countryCode) => ({
          countryCode,
          supplier: 'px6',
          params: { version: '6' },
          priority: 0,
        })),
      },
    ],
  },
]

type Login = { email: string; username: string; password: string }

async function seed(services: DemoServices): Promise<void> {
  // A data folder of an older Sluice has everything but the ways to pay and the suppliers, which it had in its environment.
  if (existsSync(path.join(env().SLUICE_DATA_DIR, 'demo.json'))) {
    await makeProviders(services)
    await makeTelegram(services)
    await makeReferrals()
    return makeSuppliers(services)
  }
  const owner = await makeAccount('owner', 'owner')
  const support = await makeAccount('support', 'support')
  const customers = [await makeAccount('anna', 'customer'), await makeAccount('boris', 'customer')]
  const actor = { kind: 'staff' as const, id: owner.id }
  const catalogSize = await db().product.count()
  if (catalogSize === 0) await makeCatalog(actor, services)
  await makeProviders(services)
  await makeTelegram(services)
  await makeReferrals()
  const promotionCode = await makePromotion(actor)
  await makeSuppliers(services)
  await syncStock()
  const { exit: _, providerSettings: __, ...addresses } = services
  writeWhole(path.join(env().SLUICE_DATA_DIR, 'demo.json'), {
    ...addresses,
    owner: owner.login,
    staff: { support: support.login },
    customers: customers.map((customer) => customer.login),
    promotionCode,
  })
}

/** An account with a random password; a half-finished earlier seed left one whose password nobody knows, and it is replaced by a numbered one. */
async function makeAccount(name: string, role: Role): Promise<{ id: string; login: Login }> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const username = attempt === 0 ? name : `${name}${attempt + 1}`
    const login = { email: `${username}@demo.test`, username, password: randomBytes(12).toString('base64url') }
    const made = await createAccount({ ...login, role })
    if (made.ok) return { id: made.value.userId, login }
  }
  throw new Error(`the demo's account ${name} could not be made`)
}

/** Sets up our account at every supplier's stand-in, unless somebody has set up any. */
async function makeSuppliers({ suppliers }: Pick<DemoServices, 'suppliers'>): Promise<void> {
  if ((await db().supplierAccount.count()) > 0) return
  for (const [supplier, { apiUrl, key, secret }] of Object.entries(suppliers))
    must(
      await saveSupplier(SYSTEM, {
        supplier,
        isEnabled: true,
        values: { apiUrl, apiKey: key, ...(secret !== undefined && { apiSecret: secret }) },
        costCurrency: null,
        costRate: null,
      }),
    )
}

/** Switches every way to pay on at its stand-in, unless somebody has set up any. */
async function makeProviders({ providerSettings }: DemoServices): Promise<void> {
  if ((await db().paymentProvider.count()) > 0) return
  for (const [provider, values] of Object.entries(providerSettings))
    must(
      await saveProvider(SYSTEM, {
        provider,
        isEnabled: true,
        values,
        minMicros: null,
        maxMicros: null,
        toleranceBasisPoints: 0,
        chargeCurrency: null,
        chargeRate: null,
      }),
    )
}

/** Switches the bot on at its stand-in, unless somebody has set one up. */
async function makeTelegram({ telegram }: DemoServices): Promise<void> {
  if ((await db().channelAccount.count({ where: { channel: 'telegram' } })) > 0) return
  must(await saveTelegram(SYSTEM, { isEnabled: true, secretToken: telegram.token, apiUrl: telegram.apiUrl }))
}

/** A programme that can be tried at once, unless somebody has made rules. */
async function makeReferrals(): Promise<void> {
  if ((await db().referralRule.count()) > 0) return
  const terms = { basisPoints: 1000, forDays: 365, personCapMicros: null, monthCapMicros: null }
  must(await saveCommissionRule(SYSTEM, { basis: 'orders', productId: null }, terms))
  await referralProgramme.save(SYSTEM, {
    isOn: true,
    cookieDays: 30,
    holdDays: 14,
    payoutMethods: [{ id: 'usdt-trc20', label: 'USDT (TRC-20)', kind: 'crypto', minimumMicros: '250000' }],
  })
}

/** A code that anybody may try on any order, as often as they like. */
async function makePromotion(actor: { kind: 'staff'; id: string }): Promise<string> {
  const code = 'WELCOME10'
  if ((await db().promotion.findUnique({ where: { code }, select: { id: true } })) === null)
    must(
      await savePromotion(
        actor,
        savePromotionSchema.parse({ code, label: 'Of the demo: 10 % off any order', kind: 'percent', percent: '10' }),
      ),
    )
  return code
}

/** The common policy, and a day in which anything can be given back: so that all of it can be tried. */
const DEMO_POLICY: Policy = {
  ...COMMON_POLICY,
  rows: [
    // Nothing here is sold by the gigabyte.
    ...COMMON_POLICY.rows.filter((row) => row.when !== 'unused'),
    { when: 'any', withinHours: 24, maxTrafficPercent: null, remedy: 'refund', refundPercent: 100, of: 'paid' },
  ],
}

async function makeCatalog(actor: { kind: 'staff'; id: string }, services: DemoServices): Promise<void> {
  let nextUnit = 1
  for (const { plans, ...product } of PRODUCTS) {
    const { productId } = must(await saveProduct(actor, { ...product, isActive: true }))
    must(await savePolicy(actor, { productId, version: 0, rules: DEMO_POLICY }))
    for (const { offers, ...plan } of plans) {
      const { planId } = must(await savePlan(actor, { ...plan, productId, isActive: true }))
      for (const offer of offers) {
        const { offerId } = must(await saveOffer(actor, { ...offer, planId, isActive: true }))
        if (offer.supplier !== 'stock') continue
        const lines = Array.from({ length: UNITS_PER_OFFER }, () => {
          const { username, password } = stockCredential(nextUnit++, services.exit.key)
          return `${services.exit.host}:${services.exit.port}:${username}:${password}`
        })
        must(await importStock(actor, { offerId, text: lines.join('\n') }))
      }
    }
  }
}

function must<Value>(result: Result<Value>): Value {
  invariant(
    result.ok,
    `the demo's content is accepted by the shop's own commands${result.ok ? '' : `: ${result.refusal.code}`}`,
  )
  return result.value
}

const services = process.env.SLUICE_DEMO_SERVICES
invariant(services, 'SLUICE_DEMO_SERVICES names the stand-ins; npm start sets it')
invariant(env().SLUICE_MODE !== 'production', 'a demo is never written into a production shop')
await seed(JSON.parse(services) as DemoServices)
await db().$disconnect()
