// A service on Microsoft's Node SDK: registry, twin, query, method, a message to a device. Prints what came of each as
// one JSON object.

'use strict';

const { Client, Registry } = require('azure-iothub');

async function main() {
  const text = process.env.SERVICE_CONNECTION_STRING;
  const registry = Registry.fromConnectionString(text);
  const seen = {};
  await registry.create({ deviceId: 'dev-1', status: 'enabled' });
  seen.tags = (await registry.updateTwin('dev-1', { tags: { a: 1 } }, '*')).responseBody.tags;
  const page = await registry.createQuery("SELECT * FROM devices WHERE tags.a = 1", 10).nextAsTwin();
  seen.found = page.result.map((twin) => twin.deviceId);
  const client = Client.fromConnectionString(text);
  try {
    await client.invokeDeviceMethod('dev-1', { methodName: 'reboot', responseTimeoutInSeconds: 5 });
  } catch (error) {
    seen.method = error.responseBody || String(error);
  }
  if (process.env.AMQP) {
    await client.open();
    await client.send('dev-1', 'hello');
    await client.close();
  }
  await registry.delete('dev-1');
  console.log(JSON.stringify(seen));
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  }
);
