import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { gatheringSocket } from './gathering-socket.js';

let server: Server;
let socket: Socket;
let received: string;
let closed: Promise<unknown>;

beforeEach(async () => {
  received = '';
  server = createServer((connection) => {
    closed = once(connection, 'close');
    connection.on('data', (chunk) => (received += chunk.toString()));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  socket = gatheringSocket();
  const accepted = once(server, 'connection');
  socket.connect((server.address() as AddressInfo).port, '127.0.0.1');
  await Promise.all([once(socket, 'connect'), accepted]);
});
afterEach(async () => {
  socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

it('sends nothing as long as more may be written in the same go, then all of it in order', async () => {
  socket.write('a');
  socket.cork(); // as the driver does for each prepared statement
  socket.write(Buffer.from('b'));
  socket.write('c', 'latin1');
  socket.uncork();
  expect(socket.writableLength).toBe(3);
  await turn();
  expect(socket.writableLength).toBe(0);
  socket.write('d');
  expect(socket.writableLength).toBe(1);
  socket.end();
  await closed;
  expect(received).toBe('abcd');
});

it('tells when it was sent, and ends only then', async () => {
  const sent = new Promise((resolve) => {
    socket.write('a');
    socket.write('goodbye', () => {
      socket.end();
      resolve(undefined);
    });
  });
  await Promise.all([sent, closed]);
  expect(received).toBe('agoodbye');
});

it('fails what is written after its end', async () => {
  socket.end();
  await closed;
  const failed = new Promise((resolve) => socket.once('error', resolve));
  socket.write('late');
  expect(await failed).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
});
