import { readEnvironment } from '../src/config/environment.js';
import { migrate } from '../src/database/migrate.js';

/** `npm run migration:run`: for deployments where the service itself is not given the owner's URL. */
const { database } = readEnvironment(process.env);
if (database.kind === 'embedded' || database.ownerUrl === undefined) {
  process.stderr.write('Set DATABASE_URL and DATABASE_OWNER_URL. (The embedded database migrates itself.)\n');
  process.exit(1);
}
const done = await migrate(database.ownerUrl);
process.stdout.write(done.length === 0 ? 'Nothing to migrate.\n' : `Ran ${done.join(', ')}.\n`);
