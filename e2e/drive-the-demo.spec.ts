import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from './fixtures'

test('the documented script signs in, tops up, pays and hears of it, with nothing but HTTP', async () => {
  const file = path.join(process.env.SLUICE_E2E_DATA_DIR!, 'demo.json')
  const { stdout } = await promisify(execFile)(process.execPath, ['docs/drive-the-demo.mjs', file, '7.50'])
  expect(stdout).toContain('Your payment arrived: 7.50')
})
