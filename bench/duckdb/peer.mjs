// DuckDB beside the server.
//
//     node peer.mjs load ORDERS.csv    makes orders.duckdb here: DuckDB's own columnar table
//     node peer.mjs round NUMBER       asks every question of this file's folder once; prints name, round, milliseconds
//                                      and answer as CSV. Each runs once untimed before, so that the data are in memory.
//
// To be run where @duckdb/node-api is installed. Without orders.duckdb, round prints nothing.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const [task, argument] = process.argv.slice(2);
const database = 'orders.duckdb';

async function connect(options) {
	const { DuckDBInstance } = createRequire(process.cwd() + '/')('@duckdb/node-api');
	return (await DuckDBInstance.create(database, { threads: '2', ...options })).connect();
}

if (task === 'load') {
	const connection = await connect({});
	// ordered_at is the local time of Paris already, so that most queries need not think about time zones.
	await connection.run(`CREATE TABLE orders AS FROM read_csv('${argument}', header = false,
		columns = {customer_id: 'BIGINT', ordered_at: 'TIMESTAMP', instant: 'TIMESTAMPTZ', amount: 'DECIMAL(10,2)'})`);
	const reader = await connection.runAndReadAll(`SELECT 'DuckDB ' || version() || ': ' || count(*) || ' rows' FROM orders`);
	console.log(reader.getRows()[0][0]);
} else if (existsSync(database)) {
	const connection = await connect({ access_mode: 'READ_ONLY' });
	const folder = dirname(fileURLToPath(import.meta.url));
	for (const file of readdirSync(folder).filter((name) => name.endsWith('.sql'))) {
		const query = readFileSync(`${folder}/${file}`, 'utf8');
		await connection.runAndReadAll(query);
		const started = performance.now();
		const reader = await connection.runAndReadAll(query);
		const elapsed = performance.now() - started;
		console.log(`"DuckDB: ${file.slice(0, -4)}",${argument},${elapsed},"${reader.getRows()[0][0]}"`);
	}
}
