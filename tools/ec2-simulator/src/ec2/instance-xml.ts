import { STATE_CODES, stateAt } from '../fleet/instance.ts';
import type { InstanceState, SimInstance } from '../fleet/instance.ts';
import { hexOf } from '../fleet/random.ts';
import { platformDetails, shapeOf } from '../fleet/shape.ts';
import type { InstanceShape } from '../fleet/shape.ts';
import { escapeXml, xml } from '../xml.ts';

export function stateXml(name: string, state: InstanceState): string {
  return `<${name}><code>${STATE_CODES[state]}</code><name>${state}</name></${name}>`;
}

export function tagSetXml(tags: ReadonlyMap<string, string>): string {
  let items = '';
  for (const [key, value] of tags) {
    items += xml`
                        <item>
                            <key>${escapeXml(key)}</key>
                            <value>${escapeXml(value)}</value>
                        </item>`;
  }
  return items === ''
    ? '<tagSet/>'
    : xml`<tagSet>${items}
                    </tagSet>`;
}

/** One `<item>` of an instancesSet: the elements, order and indentation of the 2016-11-15 API. */
export function instanceXml(instance: SimInstance, now: number): string {
  const state = stateAt(instance, now);
  const shape = shapeOf(instance);
  const launched = new Date(instance.launchTime).toISOString();
  const present = state !== 'terminated';
  return xml`
                <item>
                    <instanceId>${instance.id}</instanceId>
                    <imageId>${escapeXml(shape.imageId)}</imageId>
                    ${stateXml('instanceState', state)}
                    <privateDnsName>${present ? shape.privateDnsName : ''}</privateDnsName>
                    <dnsName/>
                    <reason>${reasonOf(state)}</reason>
                    <keyName>${shape.keyName}</keyName>
                    <amiLaunchIndex>${instance.launchIndex}</amiLaunchIndex>
                    <productCodes/>
                    <instanceType>${escapeXml(shape.instanceType)}</instanceType>
                    <launchTime>${launched}</launchTime>
                    <placement>
                        <availabilityZone>${shape.zone}</availabilityZone>
                        <groupName/>
                        <tenancy>default</tenancy>
                    </placement>
                    <monitoring>
                        <state>disabled</state>
                    </monitoring>${present ? placeXml(shape) : ''}
                    <sourceDestCheck>true</sourceDestCheck>
                    <groupSet>${groupXml(shape)}
                    </groupSet>
                    <architecture>${shape.architecture}</architecture>
                    <rootDeviceType>ebs</rootDeviceType>
                    <rootDeviceName>/dev/xvda</rootDeviceName>
                    ${present ? volumeXml(instance, launched) : '<blockDeviceMapping/>'}
                    <virtualizationType>hvm</virtualizationType>
                    <clientToken>${hexOf(instance.salt, 50, 8)}-${hexOf(instance.salt, 51, 12)}</clientToken>
                    ${tagSetXml(instance.tags)}
                    <hypervisor>xen</hypervisor>
                    ${present ? interfaceXml(instance, shape, launched) : '<networkInterfaceSet/>'}
                    <iamInstanceProfile>
                        <arn>arn:aws:iam::${instance.account}:instance-profile/fleet-node</arn>
                        <id>AIPA${hexOf(instance.salt % 7, 52, 17).toUpperCase()}</id>
                    </iamInstanceProfile>
                    <ebsOptimized>true</ebsOptimized>
                    <enaSupport>true</enaSupport>${platformXml(instance)}${SETTINGS}
                </item>`;
}

const SETTINGS = xml`
                    <cpuOptions>
                        <coreCount>2</coreCount>
                        <threadsPerCore>2</threadsPerCore>
                    </cpuOptions>
                    <capacityReservationSpecification>
                        <capacityReservationPreference>open</capacityReservationPreference>
                    </capacityReservationSpecification>
                    <hibernationOptions>
                        <configured>false</configured>
                    </hibernationOptions>
                    <enclaveOptions>
                        <enabled>false</enabled>
                    </enclaveOptions>
                    <metadataOptions>
                        <state>applied</state>
                        <httpTokens>required</httpTokens>
                        <httpPutResponseHopLimit>2</httpPutResponseHopLimit>
                        <httpEndpoint>disabled</httpEndpoint>
                        <httpProtocolIpv6>disabled</httpProtocolIpv6>
                        <instanceMetadataTags>disabled</instanceMetadataTags>
                    </metadataOptions>
                    <maintenanceOptions>
                        <autoRecovery>default</autoRecovery>
                    </maintenanceOptions>
                    <currentInstanceBootMode>uefi</currentInstanceBootMode>
                    <privateDnsNameOptions>
                        <hostnameType>ip-name</hostnameType>
                        <enableResourceNameDnsARecord>false</enableResourceNameDnsARecord>
                        <enableResourceNameDnsAAAARecord>false</enableResourceNameDnsAAAARecord>
                    </privateDnsNameOptions>`;

function platformXml({ windows }: SimInstance): string {
  const platform = windows ? '<platform>windows</platform>' : '';
  return xml`
                    ${platform}<platformDetails>${platformDetails(windows)}</platformDetails>
                    <usageOperation>RunInstances${windows ? ':0002' : ''}</usageOperation>`;
}

function reasonOf(state: InstanceState): string {
  return state === 'pending' || state === 'running' ? '' : 'User initiated';
}

function placeXml(shape: InstanceShape): string {
  return xml`
                    <subnetId>${shape.subnetId}</subnetId>
                    <vpcId>${shape.vpcId}</vpcId>
                    <privateIpAddress>${shape.privateIp}</privateIpAddress>`;
}

function groupXml(shape: InstanceShape): string {
  return xml`
                        <item>
                            <groupId>${shape.groupId}</groupId>
                            <groupName>fleet-nodes</groupName>
                        </item>`;
}

function volumeXml({ salt }: SimInstance, launched: string): string {
  return xml`<blockDeviceMapping>
                        <item>
                            <deviceName>/dev/xvda</deviceName>
                            <ebs>
                                <volumeId>vol-0${hexOf(salt, 53, 16)}</volumeId>
                                <status>attached</status>
                                <attachTime>${launched}</attachTime>
                                <deleteOnTermination>true</deleteOnTermination>
                            </ebs>
                        </item>
                    </blockDeviceMapping>`;
}

function interfaceXml(instance: SimInstance, shape: InstanceShape, launched: string): string {
  const { salt, account } = instance;
  const mac = hexOf(salt, 54, 8).replace(/(..)(..)(..)(..)/, '0a:ff:$1:$2:$3:$4');
  return xml`<networkInterfaceSet>
                        <item>
                            <networkInterfaceId>eni-0${hexOf(salt, 55, 16)}</networkInterfaceId>
                            <subnetId>${shape.subnetId}</subnetId>
                            <vpcId>${shape.vpcId}</vpcId>
                            <description/>
                            <ownerId>${account}</ownerId>
                            <status>in-use</status>
                            <macAddress>${mac}</macAddress>
                            <privateIpAddress>${shape.privateIp}</privateIpAddress>
                            <privateDnsName>${shape.privateDnsName}</privateDnsName>
                            <sourceDestCheck>true</sourceDestCheck>
                            <groupSet>${groupXml(shape)}
                            </groupSet>
                            <attachment>
                                <attachmentId>eni-attach-0${hexOf(salt, 56, 16)}</attachmentId>
                                <deviceIndex>0</deviceIndex>
                                <status>attached</status>
                                <attachTime>${launched}</attachTime>
                                <deleteOnTermination>true</deleteOnTermination>
                                <networkCardIndex>0</networkCardIndex>
                            </attachment>
                            <privateIpAddressesSet>
                                <item>
                                    <privateIpAddress>${shape.privateIp}</privateIpAddress>
                                    <privateDnsName>${shape.privateDnsName}</privateDnsName>
                                    <primary>true</primary>
                                </item>
                            </privateIpAddressesSet>
                            <ipv6AddressesSet/>
                            <interfaceType>interface</interfaceType>
                        </item>
                    </networkInterfaceSet>`;
}
