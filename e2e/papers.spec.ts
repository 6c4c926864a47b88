import { readFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import { extractText, getDocumentProxy } from 'unpdf'
import { demo, expect, expectAccessible, makePerson, query, signIn, test } from './fixtures'

/** What a click downloads: its file name and its bytes. */
async function download(page: Page, click: () => Promise<void>): Promise<{ name: string; bytes: Uint8Array }> {
  const [file] = await Promise.all([page.waitForEvent('download'), click()])
  return { name: file.suggestedFilename(), bytes: new Uint8Array(await readFile(await file.path())) }
}

async function textOf(pdf: Uint8Array): Promise<string> {
  const { text } = await extractText(await getDocumentProxy(pdf), { mergePages: true })
  return text.replaceAll(/\s+/g, ' ')
}

test('from billing details to receipt, invoice and statement, in Russian', async ({ page, context }) => {
  const person = await makePerson({ locale: 'ru' })
  await signIn(context, person)
  await context.addCookies([{ name: 'sluice_locale', value: 'ru', url: demo().url }])

  await page.goto('/account/settings')
  await page.getByLabel('Имя', { exact: true }).fill('Анна Петрова')
  await page.getByLabel('Адрес').fill('Торстрассе 1\n10119 Берлин')
  await page.getByLabel('Страна').selectOption({ label: 'Германия' })
  await page.getByRole('button', { name: 'Сохранить реквизиты' }).click()
  await expect(page.getByText('Реквизиты сохранены.')).toBeVisible()
  await expectAccessible(page)

  const paymentId = `pay_${'1'.repeat(20)}${person.id.slice(-12)}`
  const orderId = `ord_${'1'.repeat(20)}${person.id.slice(-12)}`
  await query(
    `INSERT INTO payments (id, user_id, provider, requested_micros, currency, charge_micros, charge_currency, request_key) VALUES ($1, $2, 'fakepay', 20000000, 'USD', 20000000, 'USD', 'papers')`,
    [paymentId, person.id],
  )
  await query(`SELECT credit_payment($1, 'papers-' || $1, 20000000, 20000000, now())`, [paymentId])
  await query(
    `SELECT place_order($1, $2, 'papers', p.id, p.revision, o.id, true, 'datacenter_ipv4', 'NL', 30, 1, 1200000, 0, 1200000, 'USD') FROM plans p JOIN offers o ON o.plan_id = p.id WHERE p.slug = 'datacenter-ipv4' AND o.country_code = 'NL' LIMIT 1`,
    [orderId, person.id],
  )
  await query(`SELECT complete_delivery($1, NULL, NULL, NULL, NULL, NULL)`, [orderId])

  await page.goto(`/account/payments/${paymentId}`)
  const receipt = await download(page, () => page.getByRole('link', { name: 'Квитанция (PDF)' }).click())
  expect(receipt.name).toMatch(/^receipt-[A-Z0-9]+-\d{4}-\d{6}\.pdf$/)
  const receiptText = await textOf(receipt.bytes)
  for (const part of ['Анна Петрова', 'Германия', '20,00 USD']) expect(receiptText).toContain(part)

  await page.goto(`/account/orders/${orderId}`)
  const invoice = await download(page, () => page.getByRole('link', { name: 'Счёт (PDF)' }).click())
  expect(await textOf(invoice.bytes)).toContain('1,20 USD')

  await page.goto('/account/balance')
  await expectAccessible(page)
  const csv = await download(page, () => page.getByRole('button', { name: 'Скачать выписку' }).click())
  const lines = new TextDecoder().decode(csv.bytes).split('\r\n')
  expect(lines.filter((line) => line.includes('Пополнение'))).toHaveLength(1)
  expect(lines.at(-2)).toMatch(/Остаток на конец,,,18\.80,USD$/)
  await page.getByLabel('Вид').selectOption('pdf')
  const pdf = await download(page, () => page.getByRole('button', { name: 'Скачать выписку' }).click())
  expect(await textOf(pdf.bytes)).toContain('Отложено под заказ')

  await page.getByLabel('Последний день').fill('2001-01-01')
  await page.getByRole('button', { name: 'Скачать выписку' }).click()
  await expect(page.getByText('Укажите два дня: первый не позже последнего.')).toBeVisible()
  await expect(page.getByLabel('Последний день')).toHaveValue('2001-01-01')
})

test('staff set the seller and the taxes; what cannot be read is said beside the field', async ({ page, context }) => {
  await signIn(context, await makePerson({ role: 'admin' }))
  await page.goto('/admin/settings/papers')
  await expectAccessible(page)
  await page.getByLabel('Rates').fill('DE nineteen VAT')
  await page.getByRole('button', { name: 'Save the taxes' }).click()
  await expect(page.getByText(/A line cannot be read/)).toBeVisible()
  await page.getByLabel('Rates').fill('DE 19 VAT\nFR 20 TVA')
  await page.getByRole('button', { name: 'Save the taxes' }).click()
  await expect(page.getByText('2 countries have a tax.')).toBeVisible()
  await page.getByLabel('Email for questions').fill('billing@example.test')
  await page.getByRole('button', { name: 'Save the seller' }).click()
  await expect(page.getByText('The seller is saved.')).toBeVisible()
})
