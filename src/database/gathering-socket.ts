import { Socket } from 'node:net';

/**
 * A socket to the database that sends all that is written in one go together, when that is over. The driver writes each
 * statement by itself: of a flight of ten (prepared.ts) that is ten calls of the system, each of which wakes the server up.
 *
 * Under TLS it makes no difference: what is encrypted goes past it.
 */
export function gatheringSocket(): Socket {
  const socket = new Socket();
  // Not sooner: to connect gives it Node's own `write` back.
  socket.once('connect', () => {
    const write = socket.write.bind(socket);
    let isGathering = false;
    socket.write = ((...written: Parameters<typeof write>) => {
      if (!isGathering) {
        isGathering = true;
        socket.cork();
        process.nextTick(() => {
          isGathering = false;
          socket.uncork();
        });
      }
      return write(...written);
    }) as typeof write;
  });
  return socket;
}
