// A small device on Microsoft's Node SDK. It provisions itself, reads and reports its twin, follows the desired
// `target`, answers the method `echo`, sends one message, and ends when its standard input does.
//
// Settings come in the environment, as the SDK's samples read them; TRANSPORT is mqtt or ws, and CERT_FILE and
// KEY_FILE, where given, are its X.509 credentials in place of a key.
'use strict';

const fs = require('fs');
const { Client, Message } = require('azure-iot-device');
const { ProvisioningDeviceClient } = require('azure-iot-provisioning-device');
const { SymmetricKeySecurityClient } = require('azure-iot-security-symmetric-key');
const { X509Security } = require('azure-iot-security-x509');

const env = process.env;
const suffix = env.TRANSPORT === 'ws' ? 'MqttWs' : 'Mqtt';
const HubTransport = require('azure-iot-device-mqtt')[suffix];
const ProvisioningTransport = require('azure-iot-provisioning-device-mqtt')[suffix];

const id = env.IOTHUB_DEVICE_DPS_DEVICE_ID;
const key = env.IOTHUB_DEVICE_DPS_DEVICE_KEY;
const x509 = env.CERT_FILE && { cert: fs.readFileSync(env.CERT_FILE, 'utf8'), key: fs.readFileSync(env.KEY_FILE, 'utf8') };

async function register() {
  const security = x509 ? new X509Security(id, x509) : new SymmetricKeySecurityClient(id, key);
  const client = ProvisioningDeviceClient.create(
    env.IOTHUB_DEVICE_DPS_ENDPOINT, env.IOTHUB_DEVICE_DPS_ID_SCOPE, new ProvisioningTransport(), security);
  client.setProvisioningPayload({ modelId: env.MODEL_ID });
  return client.register();
}

async function main() {
  const { assignedHub, deviceId } = await register();
  const secret = x509 ? 'x509=true' : `SharedAccessKey=${key}`;
  const client = Client.fromConnectionString(`HostName=${assignedHub};DeviceId=${deviceId};${secret}`, HubTransport);
  await client.setOptions(x509 ? { modelId: env.MODEL_ID, ...x509 } : { modelId: env.MODEL_ID });
  await client.open();

  client.onDeviceMethod('echo', (request, response) => response.send(200, { heard: request.payload }));
  const twin = await client.getTwin();
  const report = (patch) => new Promise((resolve, reject) =>
    twin.properties.reported.update(patch, (error) => (error ? reject(error) : resolve())));
  twin.on('properties.desired.target', (value) => {
    report({ target: { value, ac: 200, av: twin.properties.desired.$version } }).catch(fail);
  });
  await report({ started: true, asked: twin.properties.desired.initial });

  const message = new Message(JSON.stringify({ temperature: 21.5 }));
  message.contentType = 'application/json';
  message.contentEncoding = 'utf-8';
  message.properties.add('$.sub', 'thermostat1');
  await client.sendEvent(message);

  process.stdin.on('end', () => client.close().then(() => process.exit(0), fail));
  process.stdin.resume();
}

function fail(error) {
  console.error(error);
  process.exit(1);
}

main().catch(fail);
