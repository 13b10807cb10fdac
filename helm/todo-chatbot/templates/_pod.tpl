{{/* An image's full name. Input: an image value with repository and one of tag and digest. */}}
{{- define "todo-chatbot.image" -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository .tag -}}
{{- end -}}
{{- end -}}

{{/* The group of a pod: that of its user, unless the settings name one. Input: the settings of a service or of postgres. */}}
{{- define "todo-chatbot.group" -}}
{{- ternary .runAsGroup .runAsUser (hasKey . "runAsGroup") | int64 -}}
{{- end -}}

{{/* What every pod says of itself before its containers: its rights, and where it may run. Input: the settings of a service or of postgres. */}}
{{- define "todo-chatbot.podDefaults" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ .name | quote }}
  {{- end }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- include "todo-chatbot.strings" . | trim | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- with .affinity }}
affinity: {{ toJson . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ int64 .runAsUser }}
  runAsGroup: {{ include "todo-chatbot.group" . }}
  fsGroup: {{ include "todo-chatbot.group" . }}
  # A volume that has the right group already is not walked again at each start.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{/* Metadata of a pod's template. Input: dict "component" (with "root" and "component") "pod". */}}
{{- define "todo-chatbot.podMetadata" -}}
labels:
  {{- include "todo-chatbot.podLabels" .component | nindent 2 }}
{{- with .pod.podAnnotations }}
annotations:
  {{- include "todo-chatbot.strings" . | trim | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Security context of every container; the pod's own is repeated, since some checks read only this one. Input: the settings of a service or of postgres. */}}
{{- define "todo-chatbot.containerSecurityContext" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: {{ int64 .runAsUser }}
runAsGroup: {{ include "todo-chatbot.group" . }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Environment variables from an existing Secret, one reference a key, so that a missing key is an error that names it. Input: a secret value. */}}
{{- define "todo-chatbot.secretEnv" -}}
{{- range .keys }}
- name: {{ . | quote }}
  valueFrom:
    secretKeyRef:
      name: {{ $.name | quote }}
      key: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* The ConfigMap of the certificates that services trust. Its name carries their hash, so that others roll the pods. Input: the root. */}}
{{- define "todo-chatbot.trustedCaName" -}}
{{- printf "%s-trusted-ca-%s" (include "todo-chatbot.fullname" .) (sha256sum .Values.trustedCa | trunc 8) -}}
{{- end -}}

{{/*
Where programs look for certificates: OpenSSL, Python and Go in SSL_CERT_FILE, Python's requests in a variable of its own, Node.js for those beside
its own. What the service's settings say counts. Input: dict "root" "service".
*/}}
{{- define "todo-chatbot.trustedCaEnv" -}}
{{- if .root.Values.trustedCa -}}
{{- range $key := list "SSL_CERT_FILE" "REQUESTS_CA_BUNDLE" "NODE_EXTRA_CA_CERTS" }}
{{- if not (or (hasKey $.service.env $key) (has $key $.service.secret.keys)) }}
- name: {{ $key }}
  value: /etc/trusted-ca/ca.pem
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* Environment variables of a service: its port, its plain settings, its Secret's. Input: dict "root" "service". */}}
{{- define "todo-chatbot.environment" -}}
{{- with .service.port }}
- name: PORT
  value: {{ int . | quote }}
{{- end }}
{{- range $key, $value := .service.env }}
- name: {{ $key | quote }}
  value: {{ tpl $value $.root | quote }}
{{- end }}
{{- include "todo-chatbot.secretEnv" .service.secret }}
{{- include "todo-chatbot.trustedCaEnv" . }}
{{- end -}}

{{/* What the container of a service and its init containers share. Input: dict "root" "service" and, for more mounts, "mounts": a map of name to path. */}}
{{- define "todo-chatbot.containerBase" -}}
{{- $service := .service -}}
image: {{ include "todo-chatbot.image" $service.image | quote }}
imagePullPolicy: {{ $service.image.pullPolicy | quote }}
securityContext:
  {{- include "todo-chatbot.containerSecurityContext" $service | nindent 2 }}
{{- with include "todo-chatbot.environment" . | trim }}
env:
  {{- . | nindent 2 }}
{{- end }}
resources:
  {{- toYaml $service.resources | nindent 2 }}
{{- if or $service.writable .root.Values.trustedCa .mounts }}
volumeMounts:
  {{- range $name, $volume := $service.writable }}
  - name: {{ $name | quote }}
    mountPath: {{ $volume.path | quote }}
  {{- end }}
  {{- if .root.Values.trustedCa }}
  - name: in-trusted-ca
    mountPath: /etc/trusted-ca
  {{- end }}
  {{- range $name, $path := .mounts }}
  - name: {{ $name | quote }}
    mountPath: {{ $path | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The volumes of a service: an emptyDir for each writable path, what `dev` needs, and the certificates. Input: dict "root" "service". */}}
{{- define "todo-chatbot.volumes" -}}
{{- include "todo-chatbot.writableVolumes" .service.writable }}
{{- include "todo-chatbot.devVolumes" . }}
{{- if .root.Values.trustedCa }}
- name: in-trusted-ca
  configMap:
    name: {{ include "todo-chatbot.trustedCaName" .root | quote }}
{{- end }}
{{- end -}}

{{/* An emptyDir for each writable path. Input: a map of name to path and size. */}}
{{- define "todo-chatbot.writableVolumes" -}}
{{- range $name, $volume := . }}
- name: {{ $name | quote }}
  emptyDir:
    sizeLimit: {{ $volume.size | quote }}
{{- end }}
{{- end -}}

{{/* What a probe asks. Input: a probe that asks something. */}}
{{- define "todo-chatbot.probeAction" -}}
{{- if .path -}}
httpGet:
  path: {{ .path | quote }}
  port: http
{{- else if .tcp -}}
tcpSocket:
  port: http
{{- else -}}
exec:
  command: {{ toJson .exec }}
{{- end -}}
{{- end -}}

{{/* Timing of a probe. Input: a probe value. */}}
{{- define "todo-chatbot.probeTiming" -}}
periodSeconds: {{ int .periodSeconds }}
timeoutSeconds: {{ int .timeoutSeconds }}
failureThreshold: {{ int .failureThreshold }}
{{- end -}}
