// Drives a running demo from outside, with nothing but HTTP: signs a demo customer in, tops up through Fakepay, pays by its control API, and waits
// for the credit.
//
//   node docs/drive-the-demo.mjs data/demo.json [amount]
import { readFileSync } from 'node:fs'

const [file = 'data/demo.json', amount = '20.00'] = process.argv.slice(2)
const demo = JSON.parse(readFileSync(file, 'utf8'))
const customer = demo.customers[0]
const jar = new Map()

/** One request with this customer's cookies; redirects are shown, not followed. */
async function ask(address, init = {}) {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const answer = await fetch(new URL(address, demo.url), { redirect: 'manual', ...init, headers: { cookie } })
  for (const line of answer.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
    jar.set(name, value)
  }
  return answer
}

const decode = (text) =>
  text.replaceAll('&quot;', '"').replaceAll('&#x27;', "'").replaceAll('&lt;', '<').replaceAll('&amp;', '&')
const attribute = (tag, name) => decode(new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? '')

/** Fills and sends a form of a page as a browser without script does: the hidden fields as they are, the others as given. */
async function sendForm(page, fields) {
  const html = await (await ask(page)).text()
  const wanted = Object.keys(fields)[0]
  const form = html.match(/<form[\s\S]*?<\/form>/g).find((each) => each.includes(` name="${wanted}"`))
  const body = new FormData()
  for (const tag of form.match(/<input[^>]* type="hidden"[^>]*>/g))
    body.set(attribute(tag, 'name'), attribute(tag, 'value'))
  for (const [name, value] of Object.entries(fields)) body.set(name, value)
  return ask(page, { method: 'POST', body })
}

/** Asks until the answer is there, for ten seconds at most. */
async function until(what, look) {
  for (let tries = 0; tries < 50; tries += 1) {
    const found = await look()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`${what} did not happen within ten seconds`)
}

const { csrfToken } = await (await ask('/api/auth/csrf')).json()
await ask('/api/auth/callback/credentials', {
  method: 'POST',
  body: new URLSearchParams({ csrfToken, login: customer.username, password: customer.password }),
})

const answer = await sendForm('/account/top-up', { amountMicros: amount, provider: 'fakepay' })
const checkout = answer.headers.get('location')
if (!checkout) throw new Error(`the top-up was refused (${answer.status})`)
const invoice = checkout.split('/').at(-1)
console.log(`to pay on ${checkout}`)

const { controlUrl } = demo.providers.fakepay
await fetch(`${controlUrl}/invoices/${invoice}/pay`, { method: 'POST', body: '{}' })

const invoices = await (await fetch(`${controlUrl}/invoices`)).json()
const paymentId = invoices.find(({ id }) => id === invoice).orderId
const receipt = await until('the receipt', async () => {
  const mails = await (await fetch(`${demo.mail.controlUrl}/mails?to=${customer.email}`)).json()
  return mails.find((mail) => mail.text.includes(paymentId))
})
console.log(`${customer.email} got the mail "${receipt.subject}"`)
