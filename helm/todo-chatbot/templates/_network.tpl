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
Paths of a service that only the cluster's own callers need: its metrics, and its readiness, which may ask the database. Not `/`, which would
close everything. Input: a complete service. Output: JSON list.
*/}}
{{- define "todo-chatbot.internalPaths" -}}
{{- $paths := list -}}
{{- range list .metricsPath .probes.readiness.path -}}
  {{- $path := regexReplaceAll "[?#].*$" . "" | trimSuffix "/" -}}
  {{- if $path -}}
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

{{/*
The ways in to a service, a rule an edge: from the services that call it, the test pod, Prometheus, the ingress controller. Input: dict "root"
"name" "service".
*/}}
{{- define "todo-chatbot.ingressRules" -}}
{{- $values := .root.Values -}}
{{- range .service.networkPolicy.ingressFrom }}
# {{ . }} --> {{ $.name }}
- from:
    {{- include "todo-chatbot.peer" (dict "root" $.root "component" .) | nindent 4 }}
  ports:
    - protocol: TCP
      port: http
{{- end }}
{{- if $values.test.enabled }}
# test --> {{ .name }}
- from:
    {{- include "todo-chatbot.peer" (dict "root" .root "component" "test") | nindent 4 }}
  ports:
    - protocol: TCP
      port: http
{{- end }}
{{- if $values.monitoring.enabled }}
# Prometheus --> {{ .name }}
- from:
    {{- include "todo-chatbot.remotePeer" $values.monitoring | nindent 4 }}
  ports:
    - protocol: TCP
      port: http
{{- end }}
{{- if and $values.ingress.enabled (eq $values.ingress.service .name) }}
# ingress controller --> {{ .name }}. The closed port too: the connection is then refused at once, and the controller need not wait.
- from:
    {{- include "todo-chatbot.remotePeer" $values.ingress.controller | nindent 4 }}
  ports:
    - protocol: TCP
      port: http
    - protocol: TCP
      port: {{ include "todo-chatbot.closedPort" . }}
{{- end }}
{{- end -}}

{{/* The ways out of a service, a rule an edge. Input: dict "root" "name" "services" (all, complete). */}}
{{- define "todo-chatbot.egressRules" -}}
{{- $egress := (get .services .name).networkPolicy.egress -}}
{{- range $egress.services }}
# {{ $.name }} --> {{ . }}
- to:
    {{- include "todo-chatbot.peer" (dict "root" $.root "component" .) | nindent 4 }}
  ports:
    {{- include "todo-chatbot.tcpPorts" (list (get $.services .).port) | trim | nindent 4 }}
{{- end }}
{{- if and $egress.postgres .root.Values.postgres.enabled }}
# {{ .name }} --> postgres
- to:
    {{- include "todo-chatbot.peer" (dict "root" .root "component" "postgres") | nindent 4 }}
  ports:
    {{- include "todo-chatbot.tcpPorts" (list 5432) | trim | nindent 4 }}
{{- end }}
{{- with $egress.internet.ports }}
# {{ $.name }} --> the internet
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        {{- with $egress.internet.except }}
        except: {{ toJson . }}
        {{- end }}
  ports:
    {{- include "todo-chatbot.tcpPorts" . | trim | nindent 4 }}
{{- end }}
{{- range $egress.addresses }}
# {{ $.name }} --> an address outside
- to:
    - ipBlock:
        cidr: {{ .cidr | quote }}
  ports:
    {{- include "todo-chatbot.tcpPorts" .ports | trim | nindent 4 }}
{{- end }}
{{- end -}}
