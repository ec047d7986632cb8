package wireserver

import (
	"bytes"
	"encoding/xml"
	"net/url"
	"text/template"

	"github.com/google/uuid"

	"lazuli/internal/fabric"
)

// incarnation of the goal state. It would grow if the node had something new to
// tell the guest's agent; it has nothing after the first boot.
const incarnation = 1

// ids are how the wireserver calls a machine: made from its UID, so that they
// are the same after each boot and on each node. An agent that sees another
// container believes that the machine has moved.
type ids struct {
	Container, Deployment, Instance string
}

var space = uuid.MustParse("5e7f0a11-3333-4444-8555-fedcba987654")

func idsOf(m fabric.Machine) ids {
	derived := func(kind string) string { return uuid.NewSHA1(space, []byte(kind+m.UID)).String() }
	deployment := derived("deployment/")
	return ids{Container: derived("container/"), Deployment: deployment, Instance: deployment + "._" + m.Name}
}

// values is what the documents are filled with. All of it is escaped there.
type values struct {
	ids
	Name        string
	Address     string
	Incarnation int
	Base        string // of the URLs of this machine's documents
}

func valuesOf(m fabric.Machine, address string) values {
	v := values{ids: idsOf(m), Name: m.Name, Address: address, Incarnation: incarnation}
	v.Base = "http://" + Address + ":80/machine/" + v.Container + "/" + url.PathEscape(v.Instance)
	return v
}

func document(name, text string) *template.Template {
	return template.Must(template.New(name).Funcs(template.FuncMap{"x": escape}).Parse(xmlDeclaration + text))
}

const xmlDeclaration = `<?xml version="1.0" encoding="utf-8"?>` + "\n"

func escape(s string) (string, error) {
	var b bytes.Buffer
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}

// The documents are as Azure's agents read them (WALinuxAgent's goal_state.py
// and its test data, cloud-init's helpers/azure.py).
var (
	goalState = document("goal state", `<GoalState xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="goalstate10.xsd">
  <Version>2012-11-30</Version>
  <Incarnation>{{.Incarnation}}</Incarnation>
  <Machine>
    <ExpectedState>Started</ExpectedState>
    <StopRolesDeadlineHint>300000</StopRolesDeadlineHint>
    <LBProbePorts><Port>16001</Port></LBProbePorts>
    <ExpectHealthReport>FALSE</ExpectHealthReport>
  </Machine>
  <Container>
    <ContainerId>{{.Container}}</ContainerId>
    <RoleInstanceList>
      <RoleInstance>
        <InstanceId>{{x .Instance}}</InstanceId>
        <State>Started</State>
        <Configuration>
          <HostingEnvironmentConfig>{{x .Base}}?comp=config&amp;type=hostingEnvironmentConfig&amp;incarnation={{.Incarnation}}</HostingEnvironmentConfig>
          <SharedConfig>{{x .Base}}?comp=config&amp;type=sharedConfig&amp;incarnation={{.Incarnation}}</SharedConfig>
          <ExtensionsConfig>{{x .Base}}?comp=config&amp;type=extensionsConfig&amp;incarnation={{.Incarnation}}</ExtensionsConfig>
          <Certificates>{{x .Base}}?comp=certificates&amp;incarnation={{.Incarnation}}</Certificates>
          <ConfigName>{{.Deployment}}.0.{{.Deployment}}.0._{{x .Name}}.1.xml</ConfigName>
        </Configuration>
      </RoleInstance>
    </RoleInstanceList>
  </Container>
</GoalState>
`)
	hostingEnvironment = document("hosting environment", `<HostingEnvironmentConfig version="1.0.0.0" goalStateIncarnation="{{.Incarnation}}">
  <StoredCertificates />
  <Deployment name="{{.Deployment}}" guid="{{.Deployment}}" incarnation="0" isNonCancellableTopologyChangeEnabled="false">
    <Service name="lazuli" guid="{{.Deployment}}" />
    <ServiceInstance name="{{.Deployment}}" guid="{{.Deployment}}" />
  </Deployment>
  <Incarnation number="{{.Incarnation}}" instance="{{x .Name}}" guid="{{.Container}}" />
  <Role guid="{{.Container}}" name="{{x .Name}}" settleTimeSeconds="0" />
  <HostingEnvironmentSettings name="full" Runtime="rd_fabric_stable">
    <CAS mode="full" />
    <PrivilegeLevel mode="max" />
  </HostingEnvironmentSettings>
  <ApplicationSettings />
  <ResourceReferences />
</HostingEnvironmentConfig>
`)
	sharedConfig = document("shared config", `<SharedConfig version="1.0.0.0" goalStateIncarnation="{{.Incarnation}}">
  <Deployment name="{{.Deployment}}" guid="{{.Deployment}}" incarnation="0" />
  <Incarnation number="{{.Incarnation}}" instance="{{x .Name}}" guid="{{.Container}}" />
  <Role guid="{{.Container}}" name="{{x .Name}}" settleTimeSeconds="0" />
  <LoadBalancerSettings timeoutSeconds="0" waitLoadBalancerProbeCount="8" />
  <OutputEndpoints />
  <Instances>
    <Instance id="{{x .Instance}}" address="{{.Address}}">
      <FaultDomains randomId="0" updateId="0" updateCount="0" />
      <InputEndpoints />
    </Instance>
  </Instances>
</SharedConfig>
`)
	extensionsConfig = document("extensions config", `<Extensions version="1.0.0.0" goalStateIncarnation="{{.Incarnation}}">
  <GuestAgentExtension>
    <GAFamilies />
  </GuestAgentExtension>
  <StatusUploadBlob statusBlobType="BlockBlob">http://`+Address+`:32526/status/{{.Container}}.status</StatusUploadBlob>
</Extensions>
`)
	certificateFile = document("certificates", `<CertificateFile>
  <Version>2012-11-30</Version>
  <Incarnation>{{.Incarnation}}</Incarnation>
  <Format>Pkcs7BlobWithPfxContents</Format>
  <Data>{{.Data}}</Data>
</CertificateFile>
`)
)

const versions = xmlDeclaration + `<Versions>
  <Preferred>
    <Version>2015-04-05</Version>
  </Preferred>
  <Supported>
    <Version>2015-04-05</Version>
    <Version>2012-11-30</Version>
    <Version>2012-09-15</Version>
    <Version>2012-05-15</Version>
    <Version>2011-12-31</Version>
    <Version>2011-10-15</Version>
    <Version>2011-08-31</Version>
    <Version>2011-04-07</Version>
    <Version>2010-12-15</Version>
    <Version>2010-28-10</Version>
  </Supported>
</Versions>
`

func fill(t *template.Template, v any) []byte {
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		panic(err) // the templates and their values are this file's
	}
	return b.Bytes()
}
