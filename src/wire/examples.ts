/**
 * Ids that the examples of the API documentation use. In embedded mode a demo tenant and a demo device have them, so
 * that the examples work as they stand, with the tokens printed at start.
 */
export const DEMO_TENANT_ID = '0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e10';
export const DEMO_DEVICE_ID = '0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e20';
export const DEMO_USER_ID = '0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e30';
export const DEMO_PRODUCT_ID = '0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e40';
export const DEMO_PAYMENT_ID = '0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e50';
export const DEMO_SALE_ID = '0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e60';
