/**
 * What mav.sh becomes. The version of Node comes first: imports run in their order. The rest is not imported later, as a command
 * is, because the bundle would compile it twice.
 */
import './node-version.ts';
import { main } from './cli/main.ts';

const exitCode = await main(process.argv.slice(2), process.env);
// It is set already if the output was lost.
process.exitCode ||= exitCode;
