package deploy

import (
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/template"
	"lazuli/internal/template/jsonc"
)

// request is the body of a PUT, of validate or whatIf, as it was read.
type request struct {
	location       string
	tags           map[string]string
	mode           string
	template       *jsonc.Object // nil when it is linked
	templateLink   *link
	parameters     *jsonc.Object
	parametersLink *link
	debugDetail    string
	validation     string
	onError        *OnError
	resultFormat   string // of whatIf
}

// link is a link as it was asked for.
type link struct{ uri, contentVersion, query string }

// read takes a request apart. What it has that is not carried out is refused.
func read(body []byte) (*request, error) {
	v, err := jsonc.Parse(body)
	if err != nil {
		return nil, refusal(template.InvalidContent(err))
	}
	root, ok := v.(*jsonc.Object)
	if !ok {
		return nil, arm.BadRequest("InvalidRequestContent", "The request content was invalid and could not be read: a JSON object is needed.")
	}
	r, f := &request{}, &fields{}
	var properties *jsonc.Object
	f.each(root, "", map[string]func(any, string){
		"location":   f.text(&r.location),
		"tags":       func(v any, at string) { r.tags = f.tags(v, at) },
		"properties": f.object(&properties),
	}, "id", "name", "type", "systemData")
	if properties == nil && f.err == nil {
		return nil, arm.BadRequest("InvalidRequestContent", "The request content was invalid: the property 'properties' is missing.").At("properties")
	}
	f.each(properties, "properties", map[string]func(any, string){
		"mode":              f.word(&r.mode, "Incremental", "Complete"),
		"template":          f.object(&r.template),
		"templateLink":      f.link(&r.templateLink),
		"parameters":        f.object(&r.parameters),
		"parametersLink":    f.link(&r.parametersLink),
		"validationLevel":   f.word(&r.validation, "Template", "Provider", "ProviderNoRbac"),
		"debugSetting":      f.inner(map[string]func(any, string){"detailLevel": f.text(&r.debugDetail)}),
		"whatIfSettings":    f.inner(map[string]func(any, string){"resultFormat": f.word(&r.resultFormat, "FullResourcePayloads", "ResourceIdOnly")}),
		"onErrorDeployment": func(v any, at string) { r.onError = f.onError(v, at) },
		"expressionEvaluationOptions": f.inner(map[string]func(any, string){
			"scope": f.word(new(string), "Inner", "Outer", "NotSpecified"),
		}),
	})
	if f.err != nil {
		return nil, f.err
	}
	return r, r.check()
}

func (r *request) check() error {
	switch {
	case r.mode == "":
		return arm.BadRequest("InvalidDeployment", "The deployment mode is missing: give 'properties.mode' as 'Incremental' or 'Complete'.").At("properties.mode")
	case r.template == nil && r.templateLink == nil:
		return arm.BadRequest("InvalidDeployment", "The deployment has neither a 'template' nor a 'templateLink'. Give one of them.").At("properties.template")
	case r.template != nil && r.templateLink != nil:
		return arm.BadRequest("InvalidDeployment", "The deployment has both a 'template' and a 'templateLink'. Give only one of them.").At("properties.templateLink")
	case r.parameters.Len() > 0 && r.parametersLink != nil:
		return arm.BadRequest("InvalidDeployment", "The deployment has both 'parameters' and a 'parametersLink'. Give only one of them.").At("properties.parametersLink")
	}
	if r.debugDetail == "" {
		return nil
	}
	for level := range strings.SplitSeq(r.debugDetail, ",") {
		switch strings.ToLower(strings.TrimSpace(level)) {
		case "none", "requestcontent", "responsecontent":
		default:
			return arm.BadRequest("DeploymentDebugSettingInvalid", "The detail level '%s' is not one of 'none', 'requestContent' and 'responseContent', or of the two joined by a comma.", level).At("properties.debugSetting.detailLevel")
		}
	}
	return nil
}

// refusal is a template's error as one of the request, or as the reason of a
// failure.
func refusal(e *template.Error) *arm.Error {
	a := arm.BadRequest(e.Code, "%s", e.Message)
	a.Target = e.Target
	for _, d := range e.Details {
		a.Details = append(a.Details, refusal(d))
	}
	for _, i := range e.AdditionalInfo {
		a.AdditionalInfo = append(a.AdditionalInfo, arm.ErrorInfo{Type: i.Type, Info: i.Info})
	}
	return a
}
