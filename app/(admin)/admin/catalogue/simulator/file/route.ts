import { readScenario } from '@/components/admin/scenario-query'
import { fileResponse, textStream } from '@/components/papers/file-response'
import { env } from '@/lib/env'
import { amountText, csvCell, refused } from '@/lib/kit'
import { differenceMicros, type SimulatedSale, simulateSales } from '@/lib/prices'
import { adminRoute } from '@/lib/web'

/** Every sale that the simulator priced anew, written while it is read. */
export const GET = adminRoute('catalog.write', async ({ request }) => {
  const params = new URL(request.url).searchParams
  const asked = readScenario(Object.fromEntries([...new Set(params.keys())].map((name) => [name, params.getAll(name)])))
  if (!asked || 'problems' in asked) return refused('malformed')
  const sales = await simulateSales(asked.scenario)
  if (!sales.ok) return sales
  return fileResponse(textStream(linesOf(sales.value)), { name: 'price-simulation', type: 'csv' })
})

async function* linesOf(pages: AsyncGenerator<SimulatedSale[]>): AsyncGenerator<string> {
  const line = (cells: string[]) => `${cells.map(csvCell).join(',')}\r\n`
  yield line(['kind', 'order', 'plan', 'days', 'pieces', 'now', 'then', 'difference', 'cost', 'currency'])
  for await (const page of pages)
    yield page
      .map((sale) =>
        line([
          sale.kind,
          sale.orderId,
          sale.planId,
          String(sale.periodDays),
          String(sale.quantity),
          amountText(sale.nowMicros),
          sale.thenMicros === null ? '' : amountText(sale.thenMicros),
          amountText(differenceMicros(sale)),
          sale.costMicros === null ? '' : amountText(sale.costMicros),
          env().SHOP_CURRENCY,
        ]),
      )
      .join('')
}
