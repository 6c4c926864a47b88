import { db, keepCopy, type Prisma } from '@/lib/db'

const offerSelect = {
  id: true,
  countryCode: true,
  supplier: true,
  supplierParams: true,
  stockCount: true,
  priority: true,
  isActive: true,
} satisfies Prisma.OfferSelect

const planSelect = {
  id: true,
  productId: true,
  slug: true,
  nameEn: true,
  nameRu: true,
  minQuantity: true,
  maxQuantity: true,
  revision: true,
  isActive: true,
  position: true,
  totalStepMicros: true,
  periods: { select: { days: true, unitPriceMicros: true }, orderBy: { days: 'asc' } },
  steps: { select: { fromQuantity: true, discountBasisPoints: true }, orderBy: { fromQuantity: 'asc' } },
  offers: { select: offerSelect, orderBy: [{ priority: 'asc' }, { id: 'asc' }] },
} satisfies Prisma.PlanSelect

const productSelect = {
  id: true,
  slug: true,
  kind: true,
  nameEn: true,
  nameRu: true,
  descriptionEn: true,
  descriptionRu: true,
  isActive: true,
  position: true,
  plans: { select: planSelect, orderBy: [{ position: 'asc' }, { id: 'asc' }] },
} satisfies Prisma.ProductSelect

function readProducts() {
  return db().product.findMany({ select: productSelect, orderBy: [{ position: 'asc' }, { id: 'asc' }] })
}

export type CatalogProduct = Awaited<ReturnType<typeof readProducts>>[number]
export type CatalogPlan = CatalogProduct['plans'][number]
export type CatalogOffer = CatalogPlan['offers'][number]

/**
 * Prices may be read from a copy because nothing is charged on its word: place_order compares the plan's revision in the same transaction, and a stale copy is
 * read anew and priced again.
 */
const copy = keepCopy('catalog', readProducts)

/** The whole catalogue, from this process's copy. `fresh` reads it anew. */
export function readCatalog(options: { fresh?: boolean } = {}): Promise<CatalogProduct[]> {
  if (options.fresh) copy.forget()
  return copy.read()
}

/** What is for sale: active products with their active plans that have an active offer. Nothing else reaches a customer. */
export async function listCatalog(): Promise<CatalogProduct[]> {
  const products = await readCatalog()
  return products
    .filter((product) => product.isActive)
    .map((product) => ({ ...product, plans: product.plans.filter(isOnSale).map(withActiveOffers) }))
    .filter((product) => product.plans.length > 0)
}

/** A plan that is for sale, by its slug, with its product. Null when there is none (or no longer). */
export async function findPlanBySlug(slug: string): Promise<{ product: CatalogProduct; plan: CatalogPlan } | null> {
  for (const product of await listCatalog()) {
    const plan = product.plans.find((each) => each.slug === slug)
    if (plan) return { product, plan }
  }
  return null
}

/** A plan by id, for sale or not, with its product: for orders that name it. */
export async function findPlan(
  planId: string,
  options: { fresh?: boolean } = {},
): Promise<{ product: CatalogProduct; plan: CatalogPlan } | null> {
  for (const product of await readCatalog(options)) {
    const plan = product.plans.find((each) => each.id === planId)
    if (plan) return { product, plan }
  }
  return null
}

export function isOnSale(plan: CatalogPlan): boolean {
  return plan.isActive && plan.periods.length > 0 && plan.offers.some((offer) => offer.isActive)
}

function withActiveOffers(plan: CatalogPlan): CatalogPlan {
  return { ...plan, offers: plan.offers.filter((offer) => offer.isActive) }
}
