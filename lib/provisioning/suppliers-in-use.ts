import { env } from '@/lib/env'
import { OperationalError } from '@/lib/kit'
import { createPx6, type Supplier } from '@/lib/suppliers'

let px6: Supplier | undefined

/** The supplier behind an offer. Stock is not one: its units are rows of ours. Throws OperationalError when its settings are missing, so that the job waits for them. */
export function supplierOf(name: string): Supplier {
  const { PX6_API_KEY, PX6_API_URL } = env()
  if (name !== 'px6' || !PX6_API_KEY) throw new OperationalError(name, 'this supplier is not set up')
  px6 ??= createPx6({ baseUrl: PX6_API_URL, apiKey: PX6_API_KEY })
  return px6
}

export function isSupplierSetUp(name: string): boolean {
  return name === 'stock' || (name === 'px6' && env().PX6_API_KEY !== undefined)
}
