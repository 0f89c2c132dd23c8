import { readEnvironment } from './src/config/environment.js';
import { createDataSource } from './src/database/data-source.js';

/** For the TypeORM CLI, as the owner: `DATABASE_URL=… DATABASE_OWNER_URL=… npx typeorm -d dist/ormconfig.js migration:show`. */
const { database } = readEnvironment(process.env);
if (database.kind === 'embedded')
  throw new Error('Set DATABASE_URL and DATABASE_OWNER_URL: the embedded database migrates itself.');

export default createDataSource(database.ownerUrl ?? database.url, 1);
