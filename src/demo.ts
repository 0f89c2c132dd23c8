import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type ProblemCode, ProblemError } from './problems/problem.js';
import { SERVICE } from './tenancy/audit/domain/actor.js';
import { DevicesService } from './tenancy/devices.service.js';
import { TenantsService } from './tenancy/tenants.service.js';
import { TokensService } from './tenancy/tokens.service.js';
import { DEMO_DEVICE_ID, DEMO_PRODUCT_ID, DEMO_TENANT_ID, DEMO_USER_ID } from './wire/examples.js';

const WEEK_SECONDS = 7 * 86_400;

/** Makes the demo tenant and its device, if they are not there, and tells how to use them. Embedded mode only. */
export async function prepareDemo(app: NestFastifyApplication, url: string): Promise<string> {
  await unlessTaken(app.get(TenantsService).create(SERVICE, 'Demo farm shop', DEMO_TENANT_ID));
  await unlessTaken(
    app
      .get(DevicesService)
      .enrol({ ...SERVICE, tenantId: DEMO_TENANT_ID }, { id: DEMO_DEVICE_ID, name: 'Demo till', deviceType: 'WEB' }),
  );
  const tokens = app.get(TokensService);
  if (!tokens.signs) return `\nAPI   ${url}\nDocs  ${url}/docs\n`;
  const person = { userId: DEMO_USER_ID, tenantId: DEMO_TENANT_ID };
  const admin = await tokens.sign({ role: 'admin', ...person }, WEEK_SECONDS);
  const device = await tokens.sign({ role: 'device', ...person, deviceId: DEMO_DEVICE_ID }, WEEK_SECONDS);
  return `
API            ${url}
Docs           ${url}/docs   (choose Authorize, paste a token, run the examples)
Queues         ${url}/admin/queues   (sign in with the admin token)
Demo tenant    ${DEMO_TENANT_ID}
Admin token    ${admin}
Device token   ${device}

Try it: make a product, and put twelve of it on the shelf. Run it twice, and the second answer is "duplicate".

${pushCommand(url, device)}

Then see the stock:

curl -s ${url}/inventory/products/${DEMO_PRODUCT_ID}/stock -H 'authorization: Bearer ${admin}'
`;
}

function pushCommand(url: string, token: string): string {
  const operation = {
    operation_id: 'b7f9a1f4-8a51-4c55-8f8b-0f8a4c9f5d02',
    tenant_id: DEMO_TENANT_ID,
    product_id: DEMO_PRODUCT_ID,
    device_id: DEMO_DEVICE_ID,
    device_type: 'WEB',
    operation: 'INCREMENT',
    delta: 12,
    reason: 'RESTOCK',
    lamport_ts: 2,
    created_by: DEMO_USER_ID,
  };
  const product = {
    id: DEMO_PRODUCT_ID,
    name: 'Goat cheese',
    price: 25000,
    sku: 'QC-01',
    reorder_point: 5,
    lamport_ts: 1,
  };
  const lists = { operations: [operation], products: [product], payments: [] };
  const body = { ...lists, client_lamport: 2, device_id: DEMO_DEVICE_ID };
  return `curl -s ${url}/sync/push -H 'content-type: application/json' -H 'authorization: Bearer ${token}' -d '${JSON.stringify(body)}'`;
}

/** What every start but the first is told; and one after an operator has suspended the demo, or deleted it. */
const TAKEN: ReadonlySet<ProblemCode> = new Set([
  'TENANT_EXISTS',
  'DEVICE_EXISTS',
  'TENANT_SUSPENDED',
  'UNAUTHENTICATED',
]);

async function unlessTaken(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!(error instanceof ProblemError && TAKEN.has(error.code))) throw error;
  }
}
