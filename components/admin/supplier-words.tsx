import { getLocale, getTranslations } from 'next-intl/server'
import { Status } from '@/components/ui/status'
import type { Tone } from '@/components/ui/tones'
import { formatMoney } from '@/lib/kit'
import {
  type Forecast,
  HORIZON_DAYS,
  SUPPLIER_TEST_RESULTS,
  type SupplierTestResult,
  type SupplierView,
} from '@/lib/provisioning'

/** How it answers: well, with failures in a row, or left alone because there were too many. */
export function healthOf({ health }: Pick<SupplierView, 'health'>): 'none' | 'good' | 'failing' | 'open' {
  if (!health) return 'none'
  if (health.openUntil) return 'open'
  return health.failures > 0 ? 'failing' : 'good'
}

export async function SupplierHealthStatus({ supplier }: { supplier: SupplierView }) {
  const say = await getTranslations('adminSuppliers')
  const health = healthOf(supplier)
  const tone: Tone = { none: 'neutral', good: 'good', failing: 'warning', open: 'bad' }[health] as Tone
  return <Status tone={tone}>{say(`health_${health}`, { count: supplier.health?.failures ?? 0 })}</Status>
}

/** The last test's result as one of the words there are texts for; null when there was none. */
export function testResultOfSupplier({ testResult }: Pick<SupplierView, 'testResult'>): SupplierTestResult | null {
  return SUPPLIER_TEST_RESULTS.find((each) => each === testResult) ?? null
}

/** The supplier as it calls itself; our own stock by its word; its name here when there is no word for it. */
export async function brandOfSupplier(supplier: string): Promise<string> {
  const say = await getTranslations('adminSuppliers')
  if (supplier === 'stock') return say('ownStock')
  const key = `brand_${supplier}` as 'brand_px6'
  return say.has(key) ? say(key) : supplier
}

/** An amount of what lies there: money in its currency, or whole gigabytes. */
export async function sayLeft({ unit, currency }: Forecast, amount: bigint): Promise<string> {
  const [say, locale] = await Promise.all([getTranslations('adminSuppliers'), getLocale()])
  if (unit === 'money') return formatMoney(amount, currency!, locale)
  return say('gigabytes', { count: Number(amount / 1_000_000_000n) })
}

/** For how many days it lasts. */
export async function sayLasts({ dryInDays }: Forecast): Promise<string> {
  const say = await getTranslations('adminSuppliers')
  return dryInDays === null ? say('lastsLong', { days: HORIZON_DAYS }) : say('lastsDays', { days: dryInDays })
}
