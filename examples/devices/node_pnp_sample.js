// A climate zone on Microsoft's Node device SDK, written the way the SDK's documentation shows. It knows nothing of
// the harness. Try it, with the SDK in ./node_modules (or in a folder that NODE_PATH names):
//
//     npm install azure-iot-device azure-iot-device-mqtt azure-iot-provisioning-device \
//         azure-iot-provisioning-device-mqtt azure-iot-security-symmetric-key
//     pytest --dut "node examples/devices/node_pnp_sample.js" --model-id "dtmi:com:example:preflight:ClimateZone;1"
//
// It plays dtdl_models/dtmi/com/example/preflight/climatezone-1.json; with --websockets on port 443. What
// `--profile full` finds in it is listed in docs/resilience.md.
'use strict';

const { Client, Message } = require('azure-iot-device');
const { ProvisioningDeviceClient } = require('azure-iot-provisioning-device');
const { SymmetricKeySecurityClient } = require('azure-iot-security-symmetric-key');

const transport = process.argv.includes('--websockets') ? 'MqttWs' : 'Mqtt';
const HubTransport = require('azure-iot-device-mqtt')[transport];
const ProvisioningTransport = require('azure-iot-provisioning-device-mqtt')[transport];

const MODEL_ID = 'dtmi:com:example:preflight:ClimateZone;1';
const MILLISECONDS_BETWEEN_READINGS = 1000;
const env = process.env;

const zone = {
  setpoint: 19,
  readings: [],

  read() {
    const temperature = Number((this.setpoint + Math.random() - 0.5).toFixed(2));
    this.readings.push({ at: new Date(), temperature });
    return temperature;
  },

  warmest() {
    return Math.max(...this.readings.map((reading) => reading.temperature));
  },

  summary(since) {
    const recent = this.readings.filter((reading) => reading.at >= since);
    const chosen = recent.length ? recent : this.readings;
    const temperatures = chosen.map((reading) => reading.temperature);
    return {
      lowest: Math.min(...temperatures),
      highest: Math.max(...temperatures),
      mean: temperatures.reduce((sum, each) => sum + each, 0) / temperatures.length,
      readings: temperatures.length,
      from: chosen[0].at.toISOString(),
      until: chosen[chosen.length - 1].at.toISOString(),
    };
  },
};

async function provision() {
  const security = new SymmetricKeySecurityClient(env.IOTHUB_DEVICE_DPS_DEVICE_ID, env.IOTHUB_DEVICE_DPS_DEVICE_KEY);
  const client = ProvisioningDeviceClient.create(
    env.IOTHUB_DEVICE_DPS_ENDPOINT, env.IOTHUB_DEVICE_DPS_ID_SCOPE, new ProvisioningTransport(), security);
  client.setProvisioningPayload({ modelId: MODEL_ID });
  return client.register();
}

const acknowledgement = (value, ac, av, ad) => ({ value, ac, av, ad });

// Takes over a desired set point; what to report about it, or null where there is none.
function accept(desired) {
  if (!('setpoint' in desired)) return null;
  const { setpoint, $version: version } = desired;
  if (setpoint === null) return { setpoint: acknowledgement(zone.setpoint, 203, 0, 'kept') };
  if (typeof setpoint !== 'number') {
    return { setpoint: acknowledgement(zone.setpoint, 400, version, 'a number is expected') };
  }
  zone.setpoint = setpoint;
  return { setpoint: acknowledgement(zone.setpoint, 200, version, 'heating to it') };
}

const DATE_TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

function answer(request, response) {
  console.log(`command ${request.methodName}: ${JSON.stringify(request.payload)}`);
  const valid = typeof request.payload === 'string' && DATE_TIME.test(request.payload);
  const since = new Date(valid ? request.payload : NaN);
  const sent = Number.isNaN(since.getTime())
    ? response.send(400, { error: 'a date and time is expected' })
    : response.send(200, zone.summary(since));
  sent.catch((error) => console.error(`the answer was not sent: ${error}`));
}

async function main() {
  zone.read();
  const { assignedHub, deviceId } = await provision();
  const secret = `HostName=${assignedHub};DeviceId=${deviceId};SharedAccessKey=${env.IOTHUB_DEVICE_DPS_DEVICE_KEY}`;
  const client = Client.fromConnectionString(secret, HubTransport);
  await client.setOptions({ modelId: MODEL_ID });
  await client.open();
  client.onDeviceMethod('summarize', answer);

  setInterval(() => {
    const message = new Message(JSON.stringify({ temperature: zone.read() }));
    message.contentType = 'application/json';
    message.contentEncoding = 'utf-8';
    client.sendEvent(message).catch((error) => console.error(`the reading was not sent: ${error}`));
  }, MILLISECONDS_BETWEEN_READINGS);

  const twin = await client.getTwin();
  const report = (patch) => patch && twin.properties.reported.update(patch, (error) => {
    if (error) console.error(`the report was not taken: ${error}`);
  });
  report({
    warmest: zone.warmest(),
    setpoint: acknowledgement(zone.setpoint, 203, 0, 'as it came from the factory'),
  });
  twin.on('properties.desired', (desired) => {
    console.log(`desired: ${JSON.stringify(desired)}`);
    report(accept(desired)); // the first time with the whole of what is desired, then with each change
  });
  console.log('running');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
