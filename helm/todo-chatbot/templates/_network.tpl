{{/*
A peer: pods of one component of this release. In a peer, a pod selector without a namespace selector means this namespace. Input: dict "root" "component".
*/}}
{{- define "todo-chatbot.peer" -}}
- podSelector:
    matchLabels:
      {{- include "todo-chatbot.selectorLabels" . | nindent 6 }}
{{- end -}}

{{/* A peer: pods with these labels in another namespace. Both selectors stand in one list item: as two items they would mean "or". Input: dict "namespace" "podLabels". */}}
{{- define "todo-chatbot.remotePeer" -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ .namespace | quote }}
  {{- with .podLabels }}
  podSelector:
    matchLabels:
      {{- include "todo-chatbot.strings" . | trim | nindent 6 }}
  {{- end }}
{{- end -}}

{{/* The port that nothing listens on, of any service that the Ingress leads to: what is sent there is refused at once. (9 is the port "discard".) */}}
{{- define "todo-chatbot.closedPort" -}}9{{- end -}}

{{/*
Paths of a public service that only the cluster's own callers need: its metrics, and its readiness, which may ask the database. Not the path that
people open, and none that leads to another service. Input: dict "services" (all, complete) "name". Output: JSON list.
*/}}
{{- define "todo-chatbot.internalPaths" -}}
{{- $service := get .services .name -}}
{{- $paths := list -}}
{{- range list $service.metricsPath $service.probes.readiness.path -}}
  {{- $path := regexReplaceAll "[?#].*$" . "" | trimSuffix "/" -}}
  {{- $owner := "" -}}
  {{- $longest := 0 -}}
  {{- range $name, $other := $.services -}}
    {{- $within := hasPrefix (printf "%s/" (trimSuffix "/" $other.publicPath)) (printf "%s/" $path) -}}
    {{- if and $other.public $within (gt (len $other.publicPath) $longest) -}}
      {{- $owner = $name -}}
      {{- $longest = len $other.publicPath -}}
    {{- end -}}
  {{- end -}}
  {{- if and $path (eq $owner $.name) (ne $path $service.publicPath) -}}
    {{- $paths = append $paths $path -}}
  {{- end -}}
{{- end -}}
{{- $paths | uniq | toJson -}}
{{- end -}}

{{/* A list of TCP ports. Input: a list of numbers. */}}
{{- define "todo-chatbot.tcpPorts" -}}
{{- range . }}
- protocol: TCP
  port: {{ int . }}
{{- end }}
{{- end -}}

{{/* Names of the services that call another. Input: dict "services" (all, complete) "name". Output: JSON list. */}}
{{- define "todo-chatbot.callers" -}}
{{- $callers := list -}}
{{- range $name, $service := .services -}}
  {{- if has $.name $service.calls -}}
    {{- $callers = append $callers $name -}}
  {{- end -}}
{{- end -}}
{{- toJson $callers -}}
{{- end -}}

{{/* A rule of the ways in to a service. Input: dict "from" (what comes in, as a comment) "peer" (YAML) "name" and, where there is one, "closed". */}}
{{- define "todo-chatbot.ingressRule" -}}
# {{ .from }} --> {{ .name }}
- from:
    {{- .peer | nindent 4 }}
  ports:
    - protocol: TCP
      port: http
    {{- with .closed }}
    # Nothing listens there: what the Ingress does not serve is refused at once, and the controller need not wait.
    - protocol: TCP
      port: {{ . }}
    {{- end }}
{{ end -}}

{{/*
The ways in to a service, a rule an edge: from the services that call it, the test pod, Prometheus, the ingress controller. Nothing where it has no
port. Input: dict "root" "name" "services" (all, complete).
*/}}
{{- define "todo-chatbot.ingressRules" -}}
{{- $values := .root.Values -}}
{{- $service := get .services .name -}}
{{- if $service.port -}}
  {{- range include "todo-chatbot.callers" . | fromJsonArray -}}
    {{- include "todo-chatbot.ingressRule" (dict "name" $.name "from" . "peer" (include "todo-chatbot.peer" (dict "root" $.root "component" .))) -}}
  {{- end -}}
  {{- if include "todo-chatbot.hasTest" .root -}}
    {{- include "todo-chatbot.ingressRule" (dict "name" .name "from" "test" "peer" (include "todo-chatbot.peer" (dict "root" .root "component" "test"))) -}}
  {{- end -}}
  {{- if and $values.monitoring.enabled $service.metricsPath -}}
    {{- include "todo-chatbot.ingressRule" (dict "name" .name "from" "Prometheus" "peer" (include "todo-chatbot.remotePeer" $values.monitoring)) -}}
  {{- end -}}
  {{- if and $values.ingress.enabled $service.public -}}
    {{- $controller := include "todo-chatbot.remotePeer" $values.ingress.controller -}}
    {{- $closed := include "todo-chatbot.closedPort" . -}}
    {{- include "todo-chatbot.ingressRule" (dict "name" .name "from" "ingress controller" "peer" $controller "closed" $closed) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* The ways out of a service, a rule an edge. Input: dict "root" "name" "services" (all, complete). */}}
{{- define "todo-chatbot.egressRules" -}}
{{- $service := get .services .name -}}
{{- $ports := dict -}}
{{- range $name, $other := .services -}}
  {{- $_ := set $ports $name $other.port -}}
{{- end -}}
{{- if .root.Values.postgres.enabled -}}
  {{- $_ := set $ports "postgres" 5432 -}}
{{- end -}}
{{- range $service.calls }}
{{- if hasKey $ports . }}
# {{ $.name }} --> {{ . }}
- to:
    {{- include "todo-chatbot.peer" (dict "root" $.root "component" .) | nindent 4 }}
  ports:
    {{- include "todo-chatbot.tcpPorts" (list (get $ports .)) | trim | nindent 4 }}
{{- end }}
{{- end }}
{{- with $service.internet.ports }}
# {{ $.name }} --> the internet
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        {{- with $service.internet.except }}
        except: {{ toJson . }}
        {{- end }}
  ports:
    {{- include "todo-chatbot.tcpPorts" . | trim | nindent 4 }}
{{- end }}
{{- range $service.addresses }}
# {{ $.name }} --> an address outside
- to:
    - ipBlock:
        cidr: {{ .cidr | quote }}
  ports:
    {{- include "todo-chatbot.tcpPorts" .ports | trim | nindent 4 }}
{{- end }}
{{- end -}}
