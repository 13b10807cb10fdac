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
Who may reach a service: the services it names, the test pod, Prometheus, the ingress controller. May be nobody; the caller must then write
no rule, since an empty `from` means everybody. Input: dict "root" "name" "service".
*/}}
{{- define "todo-chatbot.ingressPeers" -}}
{{- $values := .root.Values -}}
{{- range .service.networkPolicy.ingressFrom }}
{{ include "todo-chatbot.peer" (dict "root" $.root "component" .) }}
{{- end }}
{{- if $values.test.enabled }}
{{ include "todo-chatbot.peer" (dict "root" .root "component" "test") }}
{{- end }}
{{- if $values.monitoring.enabled }}
{{ include "todo-chatbot.remotePeer" $values.monitoring }}
{{- end }}
{{- if and $values.ingress.enabled (eq $values.ingress.service .name) }}
{{ include "todo-chatbot.remotePeer" $values.ingress.controller }}
{{- end }}
{{- end -}}
