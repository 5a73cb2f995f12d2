<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name></name>
    <message>
        <source>ChatDesk found no display, and no window of it is open.</source>
        <translation>ChatDesk 找不到显示器，也没有打开的窗口。</translation>
    </message>
    <message>
        <source>Nothing was opened or changed.</source>
        <translation>没有打开或更改任何内容。</translation>
    </message>
    <message>
        <source>Run this in a desktop session, or set DISPLAY or WAYLAND_DISPLAY.</source>
        <translation>请在桌面会话中运行，或设置 DISPLAY 或 WAYLAND_DISPLAY。</translation>
    </message>
    <message>
        <source>No display was found, so ChatDesk plays one turn without a window.</source>
        <translation>未找到显示器，因此 ChatDesk 不打开窗口，只进行一轮问答。</translation>
    </message>
    <message>
        <source>ask a question and print the answer as it comes</source>
        <translation>提出问题，并在回答到达时打印</translation>
    </message>
    <message>
        <source>the question; - reads it from stdin</source>
        <translation>问题；- 表示从 stdin 读取</translation>
    </message>
    <message>
        <source>what to do with tool calls: ask (at a terminal), deny, or what to allow: SERVER for all tools of a server and SERVER/TOOL for one; may be repeated</source>
        <translation>如何处理工具调用：ask（在终端询问）、deny（拒绝），或要允许的内容：SERVER 表示某服务器的所有工具，SERVER/TOOL 表示其中一个；可重复</translation>
    </message>
    <message>
        <source>An imported system prompt is sent with the question.</source>
        <translation>导入的系统提示词会随问题一起发送。</translation>
    </message>
    <message>
        <source>{name} changed the system prompt; it is sent with the question.</source>
        <translation>{name} 更改了系统提示词；它会随问题一起发送。</translation>
    </message>
    <message>
        <source>Trying again in {seconds} s.</source>
        <translation>{seconds} 秒后重试。</translation>
    </message>
    <message>
        <source>The question waits, {count} before it; Ctrl+C cancels.</source>
        <translation>问题正在等待，前面还有 {count} 个；按 Ctrl+C 取消。</translation>
    </message>
    <message>
        <source>continue this thread (the start of its id is enough)</source>
        <translation>继续此对话（给出 ID 的开头即可）</translation>
    </message>
    <message>
        <source>ask another version of this question; the old one is kept</source>
        <translation>以另一个版本提出此问题；旧版本会保留</translation>
    </message>
    <message>
        <source>start a new thread (the default)</source>
        <translation>开始新对话（默认）</translation>
    </message>
    <message>
        <source>model to ask</source>
        <translation>要提问的模型</translation>
    </message>
    <message>
        <source>id of the provider to ask (&apos;chatdesk providers&apos; lists them)</source>
        <translation>要提问的提供商的 ID（&apos;chatdesk providers&apos; 可列出）</translation>
    </message>
    <message>
        <source>assistant from the library to ask</source>
        <translation>要提问的库中的助手</translation>
    </message>
    <message>
        <source>file to attach; may be repeated</source>
        <translation>要附加的文件；可重复指定</translation>
    </message>
    <message>
        <source>tool servers that the model may use, separated by commas, or none</source>
        <translation>模型可以使用的工具服务器，以逗号分隔；none 表示不使用</translation>
    </message>
    <message>
        <source>print one JSON object per line: start, text, ..., finish</source>
        <translation>每行打印一个 JSON 对象：start、text、...、finish</translation>
    </message>
    <message>
        <source>ChatDesk keeps trying to save the answer for a while; Ctrl+C stops it.</source>
        <translation>ChatDesk 会继续尝试保存回答一段时间；按 Ctrl+C 停止。</translation>
    </message>
    <message>
        <source>The answer was not finished. What had arrived is kept.</source>
        <translation>回答未完成。已到达的内容已保留。</translation>
    </message>
    <message>
        <source>how the attached texts are encoded, such as windows-1251</source>
        <translation>所附文本的编码，例如 windows-1251</translation>
    </message>
    <message>
        <source>“{name}” may be in one of several encodings: {found}.</source>
        <translation>“{name}”可能采用以下几种编码之一：{found}。</translation>
    </message>
    <message>
        <source>Name the right one with --encoding.</source>
        <translation>请用 --encoding 指定正确的编码。</translation>
    </message>
    <message>
        <source>“{name}” is no text in the encoding {encoding}.</source>
        <translation>“{name}”不是 {encoding} 编码的文本。</translation>
    </message>
    <message>
        <source>Name the encoding in which it was written, such as windows-1251 or shift_jis.</source>
        <translation>请指定写入时所用的编码，例如 windows-1251 或 shift_jis。</translation>
    </message>
    <message>
        <source>{server}: {problem}</source>
        <translation>{server}：{problem}</translation>
    </message>
    <message>
        <source>{name}: {problem}</source>
        <translation>{name}：{problem}</translation>
    </message>
    <message>
        <source>{server} offers: {names}.</source>
        <translation>{server} 提供：{names}。</translation>
    </message>
    <message>
        <source>It lists no tools.</source>
        <translation>它没有列出任何工具。</translation>
    </message>
    <message>
        <source>It is switched off: chatdesk tools on {server} switches it on.</source>
        <translation>它已关闭：chatdesk tools on {server} 可将其打开。</translation>
    </message>
    <message>
        <source>It is for the threads of a project with a folder: see chatdesk tools folder.</source>
        <translation>它用于有文件夹的项目中的对话：参见 chatdesk tools folder。</translation>
    </message>
    <message>
        <source>It was not asked for its tools.</source>
        <translation>没有向它询问工具。</translation>
    </message>
    <message>
        <source>Answer in the window.</source>
        <translation>请在窗口中回答。</translation>
    </message>
    <message>
        <source>{words} It is allowed with --approve {name}.</source>
        <translation>{words} 可用 --approve {name} 允许。</translation>
    </message>
    <message>
        <source>It was allowed.</source>
        <translation>已允许。</translation>
    </message>
    <message>
        <source>It was denied.</source>
        <translation>已拒绝。</translation>
    </message>
    <message>
        <source>The model wants to call {tool} of {server} with</source>
        <translation>模型想要调用 {server} 的 {tool}，参数为</translation>
    </message>
    <message>
        <source>Allow it?</source>
        <translation>允许吗？</translation>
    </message>
    <message>
        <source>The model wants to call {tool} of {server}. {words}</source>
        <translation>模型想要调用 {server} 的 {tool}。{words}</translation>
    </message>
    <message>
        <source>It was denied: nobody can be asked here (see --approve).</source>
        <translation>已拒绝：这里无法询问任何人（见 --approve）。</translation>
    </message>
    <message>
        <source>A ChatDesk window is open and answers this question, so --tools and --approve cannot be used.</source>
        <translation>有 ChatDesk 窗口已打开并回答此问题，因此不能使用 --tools 和 --approve。</translation>
    </message>
    <message>
        <source>The question was not sent.</source>
        <translation>问题没有发送。</translation>
    </message>
    <message>
        <source>Choose the tools in the window, or close it.</source>
        <translation>请在窗口中选择工具，或关闭窗口。</translation>
    </message>
    <message>
        <source>There is no tool server {first}.</source>
        <translation>没有工具服务器 {first}。</translation>
    </message>
    <message>
        <source>See &apos;chatdesk tools list&apos;.</source>
        <translation>见 &apos;chatdesk tools list&apos;。</translation>
    </message>
    <message>
        <source>There is no tool server {name}: --approve allows nothing by this name.</source>
        <translation>没有名为 {name} 的工具服务器：--approve 不会以此名称允许任何内容。</translation>
    </message>
    <message>
        <source>{name} has several meanings: {names}.</source>
        <translation>{name} 有多种含义：{names}。</translation>
    </message>
    <message>
        <source>Give each tool server a name of its own, or use its id (&apos;chatdesk tools list&apos;).</source>
        <translation>请为每个工具服务器取不同的名称，或使用其标识（&apos;chatdesk tools list&apos;）。</translation>
    </message>
    <message>
        <source>There are several assistants called {name}.</source>
        <translation>有多个名为 {name} 的助手。</translation>
    </message>
    <message>
        <source>There is no assistant called {name}.</source>
        <translation>没有名为 {name} 的助手。</translation>
    </message>
    <message>
        <source>There are: {names}.</source>
        <translation>现有：{names}。</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>write threads as Markdown, JSON, HTML or PDF</source>
        <translation>将对话写为 Markdown、JSON、HTML 或 PDF</translation>
    </message>
    <message>
        <source>all threads of this project (its name or id)</source>
        <translation>此项目的所有对话（名称或 ID）</translation>
    </message>
    <message>
        <source>make a backup now</source>
        <translation>立即备份</translation>
    </message>
    <message>
        <source>have the same chats on your own computers, through a folder</source>
        <translation>通过一个文件夹，在自己的各台计算机上使用相同的聊天</translation>
    </message>
    <message>
        <source>an empty folder that something carries to your other computers</source>
        <translation>会被同步到你其他计算机的空文件夹</translation>
    </message>
    <message>
        <source>begin with the first computer, and print the recovery phrase once</source>
        <translation>从第一台计算机开始，并打印一次恢复短语</translation>
    </message>
    <message>
        <source>join with a further computer, or again with a restored one</source>
        <translation>让另一台计算机或恢复后的计算机加入</translation>
    </message>
    <message>
        <source>the same folder as on the other computers</source>
        <translation>与其他计算机相同的文件夹</translation>
    </message>
    <message>
        <source>read the recovery phrase from FILE; else it is asked for</source>
        <translation>从 FILE 读取恢复短语；否则会要求输入</translation>
    </message>
    <message>
        <source>do not ask</source>
        <translation>不询问</translation>
    </message>
    <message>
        <source>write what is new here into the folder, and read what others wrote</source>
        <translation>将此处的新内容写入文件夹，并读取其他计算机写入的内容</translation>
    </message>
    <message>
        <source>remove a computer, such as a lost one, and make a new recovery phrase</source>
        <translation>移除一台计算机（例如已丢失的），并生成新的恢复短语</translation>
    </message>
    <message>
        <source>the name or id of the computer</source>
        <translation>计算机的名称或 ID</translation>
    </message>
    <message>
        <source>wait at most this long ({seconds})</source>
        <translation>最多等待的秒数（{seconds}）</translation>
    </message>
    <message>
        <source>bring everything back on an empty profile, with the recovery phrase</source>
        <translation>用恢复短语在空配置中找回所有内容</translation>
    </message>
    <message>
        <source>show your computers, and what waits</source>
        <translation>显示你的计算机，以及正在等待的内容</translation>
    </message>
    <message>
        <source>stop reading and writing the folder, until &apos;resume&apos;</source>
        <translation>停止读写文件夹，直到 &apos;resume&apos;</translation>
    </message>
    <message>
        <source>read and write the folder again</source>
        <translation>重新开始读写文件夹</translation>
    </message>
    <message>
        <source>forget the folder; everything stays on this computer</source>
        <translation>不再使用该文件夹；所有内容都留在此计算机上</translation>
    </message>
    <message>
        <source>A folder has a name.</source>
        <translation>文件夹必须有名称。</translation>
    </message>
    <message>
        <source>Name one that others carry.</source>
        <translation>请指定由其他程序同步的文件夹。</translation>
    </message>
    <message>
        <source>This is no folder.</source>
        <translation>这不是文件夹。</translation>
    </message>
    <message>
        <source>The file with the recovery phrase cannot be read: {reason}.</source>
        <translation>无法读取含有恢复短语的文件：{reason}。</translation>
    </message>
    <message>
        <source>A computer has a name.</source>
        <translation>计算机必须有名称。</translation>
    </message>
    <message>
        <source>It keeps your computers in step by itself. Close it to do this here.</source>
        <translation>它会自动让你的计算机保持同步。要在这里执行，请先关闭它。</translation>
    </message>
    <message>
        <source>This is your recovery phrase. Write it down: your other computers need it, and with it alone you get your chats back. Whoever has it and the folder can read everything. It is not shown again.</source>
        <translation>这是你的恢复短语。请抄写下来：你的其他计算机需要它，仅凭它就能找回你的聊天。任何拥有它和该文件夹的人都能读取所有内容。之后不会再显示。</translation>
    </message>
    <message>
        <source>Recovery phrase: </source>
        <translation>恢复短语： </translation>
    </message>
    <message>
        <source>The folder has {size} and is used by: {computers}.</source>
        <translation>文件夹大小为 {size}，使用它的有：{computers}。</translation>
    </message>
    <message>
        <source>Bring everything here?</source>
        <translation>将所有内容取到这里吗？</translation>
    </message>
    <message>
        <source>Merge the chats of this computer with theirs?</source>
        <translation>将此计算机的聊天与它们的合并吗？</translation>
    </message>
    <message>
        <source>Remove {name}? Your other computers then need the new recovery phrase, which is shown. {name} keeps, and can read, everything that it had, and gets nothing new.</source>
        <translation>移除 {name} 吗？之后你的其他计算机需要新的恢复短语，它会显示出来。{name} 保留它已有的一切并能读取，但不会收到任何新内容。</translation>
    </message>
    <message>
        <source>{name} was removed. Join again with the new phrase on your other computers.</source>
        <translation>已移除 {name}。请在你的其他计算机上用新短语再次加入。</translation>
    </message>
    <message>
        <source>Paused: nothing is read or written there.</source>
        <translation>已暂停：不会在那里读取或写入任何内容。</translation>
    </message>
    <message>
        <source>Your computers are kept in step again.</source>
        <translation>你的计算机已恢复同步。</translation>
    </message>
    <message>
        <source>{name} (this one)</source>
        <translation>{name}（本机）</translation>
    </message>
    <message>
        <source>{computer}, last here {moment}</source>
        <translation>{computer}，上次出现于 {moment}</translation>
    </message>
    <message numerus="yes">
        <source>{count} files of it have not arrived yet</source>
        <comment>{count} file of it has not arrived yet</comment>
        <translation>
            <numerusform>它有 {count} 个文件尚未到达</numerusform>
        </translation>
    </message>
    <message>
        <source>the folder has older files of it than before</source>
        <translation>文件夹中它的文件比以前的旧</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes are not in the folder yet. Your other computers do not get them.</source>
        <comment>{count} change is not in the folder yet. Your other computers do not get it.</comment>
        <translation>
            <numerusform>有 {count} 项更改尚未进入文件夹。你的其他计算机收不到它们。</numerusform>
        </translation>
    </message>
    <message>
        <source>Forget the folder {folder}? Its projects stay here as private ones.</source>
        <translation>不再使用文件夹 {folder} 吗？其中的项目会作为私有项目留在这里。</translation>
    </message>
    <message>
        <source>This computer has left {folder}. The files there stay for your other computers, and nobody can read them without the recovery phrase. With it you can join again.</source>
        <translation>此计算机已离开 {folder}。那里的文件为你的其他计算机保留，没有恢复短语就无人能读取。凭恢复短语可以再次加入。</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers sync&apos; continues.</source>
        <translation>&apos;chatdesk computers sync&apos; 会继续。</translation>
    </message>
    <message>
        <source>Join again with the recovery phrase: &apos;chatdesk computers join&apos;.</source>
        <translation>请用恢复短语再次加入：&apos;chatdesk computers join&apos;。</translation>
    </message>
    <message>
        <source>Everything is in the folder, and everything in the folder is here.</source>
        <translation>所有内容都已在文件夹中，文件夹中的所有内容也都在这里。</translation>
    </message>
    <message>
        <source>Attached files are on their way.</source>
        <translation>附加的文件正在传输。</translation>
    </message>
    <message numerus="yes">
        <source>{count} files in the folder are incomplete, or were changed. What they bring waits.</source>
        <comment>{count} file in the folder is incomplete, or was changed. What it brings waits.</comment>
        <translation>
            <numerusform>文件夹中有 {count} 个文件不完整或被改动。其中的内容正在等待。</numerusform>
        </translation>
    </message>
    <message>
        <source>It is at {path}.</source>
        <translation>它位于 {path}。</translation>
    </message>
    <message>
        <source>This format needs a file or folder to write to.</source>
        <translation>此格式需要一个文件或文件夹来写入。</translation>
    </message>
    <message>
        <source>Give one with --output.</source>
        <translation>请用 --output 指定一个。</translation>
    </message>
    <message>
        <source>Choose threads, a project, or everything, but not two of them.</source>
        <translation>请选择对话、一个项目或全部内容，但不能同时选择其中两项。</translation>
    </message>
    <message>
        <source>Leave one of them out.</source>
        <translation>请去掉其中一项。</translation>
    </message>
    <message>
        <source>Nothing to export was named.</source>
        <translation>未指定要导出的内容。</translation>
    </message>
    <message>
        <source>Give a thread, --project NAME or --all.</source>
        <translation>请给出对话、--project NAME 或 --all。</translation>
    </message>
    <message>
        <source>id of the thread, or the start of it</source>
        <translation>对话的 ID，或其开头</translation>
    </message>
    <message>
        <source>everything</source>
        <translation>全部内容</translation>
    </message>
    <message>
        <source>include the trash</source>
        <translation>包括回收站</translation>
    </message>
    <message>
        <source>file to write (with json, a .zip includes the attachments), or a folder for several threads</source>
        <translation>要写入的文件（使用 json 时，.zip 会包含附件）；多个对话时为文件夹</translation>
    </message>
    <message>
        <source>zip file to write, with the database and all attachments</source>
        <translation>要写入的 zip 文件，包含数据库和所有附件</translation>
    </message>
    <message>
        <source>replace the database with a backup</source>
        <translation>用备份替换数据库</translation>
    </message>
    <message>
        <source>path of the backup, or its name in the backup directory</source>
        <translation>备份的路径，或它在备份目录中的名称</translation>
    </message>
    <message>
        <source>list the backups, newest first</source>
        <translation>列出备份，最新的在前</translation>
    </message>
    <message>
        <source>an attachment was left out: {sentence}</source>
        <translation>有一个附件未包含：{sentence}</translation>
    </message>
    <message>
        <source>A window is open on this data directory, and it makes the regular backups.</source>
        <translation>有窗口正在使用此数据目录，由它进行定期备份。</translation>
    </message>
    <message>
        <source>Use Settings, Data and backup, Back up now; or give a FILE.</source>
        <translation>请使用“设置”的“数据与备份”中的“立即备份”；或给出 FILE。</translation>
    </message>
    <message>
        <source>Close the window, or choose another --data-dir.</source>
        <translation>请关闭窗口，或选择另一个 --data-dir。</translation>
    </message>
    <message>
        <source>Replace the current database with it? The current one is kept.</source>
        <translation>用它替换当前数据库吗？当前数据库会保留。</translation>
    </message>
    <message>
        <source>No backup was named.</source>
        <translation>未指定备份。</translation>
    </message>
    <message>
        <source>&apos;chatdesk restore --list&apos; lists them.</source>
        <translation>&apos;chatdesk restore --list&apos; 会列出它们。</translation>
    </message>
    <message>
        <source>nothing was changed</source>
        <translation>未做任何更改</translation>
    </message>
    <message>
        <source>The backup was restored.</source>
        <translation>备份已恢复。</translation>
    </message>
    <message>
        <source>The database as it was before is kept at {kept}.</source>
        <translation>先前的数据库保留在 {kept}。</translation>
    </message>
    <message>
        <source>{file}, made {time}</source>
        <translation>{file}，创建于 {time}</translation>
    </message>
    <message>
        <source>Threads: {threads}, messages: {messages}, schema version {schema}</source>
        <translation>对话：{threads}，消息：{messages}，架构版本 {schema}</translation>
    </message>
    <message>
        <source>Close the window, or use Settings, Data and backup, Repair in it.</source>
        <translation>请关闭窗口，或使用窗口中“设置”的“数据与备份”中的“修复”。</translation>
    </message>
    <message>
        <source>The database could not be upgraded as it was, so a copy of it was repaired and upgraded.</source>
        <translation>数据库无法按原样升级，因此修复并升级了它的一份副本。</translation>
    </message>
    <message>
        <source>The database was damaged; what could be read was copied into a new one.</source>
        <translation>数据库已损坏；能读取的内容已复制到新数据库中。</translation>
    </message>
    <message>
        <source>The damaged one is kept at {kept}. Compare with &apos;chatdesk restore --list&apos;: a backup may hold more.</source>
        <translation>损坏的数据库保留在 {kept}。请与 &apos;chatdesk restore --list&apos; 对比：备份中可能有更多内容。</translation>
    </message>
    <message>
        <source>fill a data directory with made-up threads</source>
        <translation>用虚构的对话填充数据目录</translation>
    </message>
    <message>
        <source>make about N messages in total (500)</source>
        <translation>共生成约 N 条消息（500）</translation>
    </message>
    <message>
        <source>seed for the made-up texts; another number makes other texts (1)</source>
        <translation>虚构文本的种子；换一个数字会生成其他文本（1）</translation>
    </message>
    <message>
        <source>add them even if there are threads already</source>
        <translation>即使已有对话也添加</translation>
    </message>
    <message>
        <source>At most {most_messages} messages can be made at once.</source>
        <translation>一次最多可生成 {most_messages} 条消息。</translation>
    </message>
    <message>
        <source>Choose fewer.</source>
        <translation>请选择较小的数目。</translation>
    </message>
    <message>
        <source>ChatDesk is open on this data directory.</source>
        <translation>ChatDesk 正在使用此数据目录。</translation>
    </message>
    <message>
        <source>Close it, or choose another one.</source>
        <translation>请关闭它，或选择另一个目录。</translation>
    </message>
    <message>
        <source>There are threads in this data directory already ({count}).</source>
        <translation>此数据目录中已有对话（{count} 个）。</translation>
    </message>
    <message>
        <source>Choose an empty one with --data-dir, or give --add to put the made-up ones among them.</source>
        <translation>请用 --data-dir 选择一个空目录，或加上 --add 将虚构的对话放入其中。</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads</source>
        <comment>{count} thread</comment>
        <translation>
            <numerusform>{count} 个对话</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages</source>
        <comment>{count} message</comment>
        <translation>
            <numerusform>{count} 条消息</numerusform>
        </translation>
    </message>
    <message>
        <source>Made {threads} with {messages}.</source>
        <translation>已生成 {threads}，共 {messages}。</translation>
    </message>
    <message>
        <source>written to {file}; look through it before you send it</source>
        <translation>已写入 {file}；发送前请先查看内容</translation>
    </message>
    <message>
        <source>This process may open only {limit} files at once, and ChatDesk needs at least {needed}.</source>
        <translation>此进程一次只能打开 {limit} 个文件，而 ChatDesk 至少需要 {needed} 个。</translation>
    </message>
    <message>
        <source>Raise the limit (ulimit -n 256), then try again.</source>
        <translation>请提高上限（ulimit -n 256），然后重试。</translation>
    </message>
    <message>
        <source>Check its owner and permissions, or choose another with --data-dir.</source>
        <translation>请检查其所有者和权限，或用 --data-dir 选择另一个目录。</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {file} is a file.</source>
        <translation>无法使用数据目录：{file} 是一个文件。</translation>
    </message>
    <message>
        <source>Choose a directory with --data-dir.</source>
        <translation>请用 --data-dir 选择一个目录。</translation>
    </message>
    <message>
        <source>The data directory cannot be used: The disk of {directory} is full.</source>
        <translation>无法使用数据目录：{directory} 所在磁盘已满。</translation>
    </message>
    <message>
        <source>Free some space, or choose another with --data-dir.</source>
        <translation>请释放一些空间，或用 --data-dir 选择另一个目录。</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {file} may not be opened or made by this user.</source>
        <translation>无法使用数据目录：此用户无权打开或创建 {file}。</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {reason}: {file}.</source>
        <translation>无法使用数据目录：{reason}：{file}。</translation>
    </message>
    <message>
        <source>Nothing was changed.</source>
        <translation>未做任何更改。</translation>
    </message>
    <message>
        <source>This process may not open more files at once.</source>
        <translation>此进程无法再打开更多文件。</translation>
    </message>
    <message>
        <source>What was saved before is unchanged.</source>
        <translation>先前保存的内容未变。</translation>
    </message>
    <message>
        <source>The system gives this process no more memory or threads.</source>
        <translation>系统不再给此进程更多内存或线程。</translation>
    </message>
    <message>
        <source>Close other programs or raise the limits (ulimit), then try again.</source>
        <translation>请关闭其他程序或提高限制（ulimit），然后重试。</translation>
    </message>
    <message>
        <source>put the threads into this project (by default one named after the program)</source>
        <translation>将对话放入此项目（默认为以来源程序命名的项目）</translation>
    </message>
    <message>
        <source>import an export of ChatDesk or of another program</source>
        <translation>导入 ChatDesk 或其他程序的导出文件</translation>
    </message>
    <message>
        <source>export of another program: a zip, JSON, JSON Lines or CSV file, or a folder</source>
        <translation>其他程序的导出：ZIP、JSON、JSON Lines 或 CSV 文件，或文件夹</translation>
    </message>
    <message>
        <source>remember the facts that ChatGPT or Claude remembered, too</source>
        <translation>同时记住 ChatGPT 或 Claude 记住的内容</translation>
    </message>
    <message>
        <source>only report what would be imported</source>
        <translation>仅报告将导入的内容</translation>
    </message>
    <message>
        <source>print the report as JSON</source>
        <translation>以 JSON 打印报告</translation>
    </message>
    <message>
        <source>Import the file in its window, or close it first.</source>
        <translation>请在其窗口中导入该文件，或先关闭窗口。</translation>
    </message>
    <message numerus="yes">
        <source>{percent} %  {count} threads</source>
        <comment>{percent} %  {count} thread</comment>
        <translation>
            <numerusform>{percent} %  {count} 个对话</numerusform>
        </translation>
    </message>
    <message>
        <source>Reading the files, so that a search finds what is in them…</source>
        <translation>正在读取文件，以便搜索能找到其中的内容 …</translation>
    </message>
    <message>
        <source>Memory: {text}</source>
        <translation>记忆：{text}</translation>
    </message>
    <message>
        <source>--memories keeps them, and they are sent to the providers that you allow.</source>
        <translation>使用 --memories 会保留它们，并发送给你允许的提供商。</translation>
    </message>
    <message>
        <source>Memory is off. Once it is on, --memories keeps them, for the providers that you allow.</source>
        <translation>记忆已关闭。开启后，使用 --memories 会为你允许的提供商保留它们。</translation>
    </message>
    <message>
        <source>check the database, the paths and the providers</source>
        <translation>检查数据库、路径和提供商</translation>
    </message>
    <message>
        <source>answer from your own files</source>
        <translation>根据你自己的文件回答</translation>
    </message>
    <message>
        <source>add a folder, a file or a web page, and read it</source>
        <translation>添加文件夹、文件或网页并读取</translation>
    </message>
    <message>
        <source>list what a project has, and how far it is read</source>
        <translation>列出项目中的内容及其读取进度</translation>
    </message>
    <message>
        <source>find the passages that fit a question</source>
        <translation>查找与问题相符的片段</translation>
    </message>
    <message>
        <source>try questions with the file that should be found</source>
        <translation>用应找到的文件来试问题</translation>
    </message>
    <message>
        <source>forget a folder, file or page</source>
        <translation>忘记文件夹、文件或网页</translation>
    </message>
    <message>
        <source>choose what the team of a shared project gets of it</source>
        <translation>选择共享项目的团队能得到其中的什么</translation>
    </message>
    <message>
        <source>choose what makes the vectors for finding by meaning</source>
        <translation>选择用什么为按含义查找生成向量</translation>
    </message>
    <message>
        <source>list the providers that get the files, or never do</source>
        <translation>列出会得到文件和从不得到文件的提供商</translation>
    </message>
    <message>
        <source>folder, file, or address of a web page</source>
        <translation>文件夹、文件或网页的地址</translation>
    </message>
    <message>
        <source>leave out what a line of a .gitignore would</source>
        <translation>排除 .gitignore 中同样一行会排除的内容</translation>
    </message>
    <message>
        <source>read it though its name looks like that of a secret</source>
        <translation>即使名称看似机密也读取</translation>
    </message>
    <message>
        <source>what you want to know</source>
        <translation>你想知道的内容</translation>
    </message>
    <message>
        <source>at most N passages (8)</source>
        <translation>最多 N 个片段（8）</translation>
    </message>
    <message>
        <source>JSON list of objects with a question and a file; - reads stdin; without it, the kept questions</source>
        <translation>由含有问题（question）和文件（file）的对象组成的 JSON 列表；- 从 stdin 读取；不指定时使用保留的问题</translation>
    </message>
    <message>
        <source>keep those of FILE, and try all that are kept</source>
        <translation>保留 FILE 中的问题，并尝试所有保留的问题</translation>
    </message>
    <message>
        <source>nothing, its name, or the text of its files too</source>
        <translation>不提供任何内容、仅提供名称，或连同其文件的文字一起提供</translation>
    </message>
    <message>
        <source>a model for embeddings of one of your providers</source>
        <translation>你的某个提供商的嵌入模型</translation>
    </message>
    <message>
        <source>the vectors that come with ChatDesk, without a network</source>
        <translation>ChatDesk 自带的向量，无需网络</translation>
    </message>
    <message>
        <source>with --model: do it, after its cost was told</source>
        <translation>与 --model 一起使用：显示费用后执行</translation>
    </message>
    <message>
        <source>never send the files of the project to it</source>
        <translation>从不将项目的文件发送给它</translation>
    </message>
    <message>
        <source>send them again</source>
        <translation>重新开始向它发送</translation>
    </message>
    <message>
        <source>its id or place, as listed</source>
        <translation>列出的 ID 或位置</translation>
    </message>
    <message>
        <source>as JSON</source>
        <translation>以 JSON 输出</translation>
    </message>
    <message>
        <source>The question is empty.</source>
        <translation>问题为空。</translation>
    </message>
    <message>
        <source>There is no file of questions to keep.</source>
        <translation>没有可保留的问题文件。</translation>
    </message>
    <message>
        <source>Give a FILE with --keep.</source>
        <translation>请在 --keep 时给出 FILE。</translation>
    </message>
    <message>
        <source>“{file}” is no JSON list of objects with a question and a file.</source>
        <translation>“{file}”不是由含有问题（question）和文件（file）的对象组成的 JSON 列表。</translation>
    </message>
    <message>
        <source>Write: {example}</source>
        <translation>请写：{example}</translation>
    </message>
    <message>
        <source>“{model}” is no provider and model.</source>
        <translation>“{model}”不是提供商和模型。</translation>
    </message>
    <message>
        <source>--yes belongs to --model.</source>
        <translation>--yes 须与 --model 一起使用。</translation>
    </message>
    <message>
        <source>ChatDesk is open and reads the files of projects.</source>
        <translation>ChatDesk 已打开，项目的文件由它读取。</translation>
    </message>
    <message>
        <source>Change them in the window, in the project&apos;s Files, or close ChatDesk first.</source>
        <translation>请在窗口的“项目的文件”中更改它们，或先关闭 ChatDesk。</translation>
    </message>
    <message>
        <source>looks like a secret, not read</source>
        <translation>看似机密，未读取</translation>
    </message>
    <message>
        <source>, page {page}</source>
        <translation>，第 {page} 页</translation>
    </message>
    <message>
        <source>No questions are kept for this project.</source>
        <translation>此项目没有保留的问题。</translation>
    </message>
    <message>
        <source>Give a FILE with --keep, or add some in the window, in the project&apos;s Files.</source>
        <translation>请在 --keep 时给出 FILE，或在窗口的“项目的文件”中添加问题。</translation>
    </message>
    <message>
        <source>{hits} of {total} among the first five</source>
        <translation>{total} 个中有 {hits} 个排在前五</translation>
    </message>
    <message>
        <source>The project has no such folder, file or page.</source>
        <translation>项目中没有这样的文件夹、文件或网页。</translation>
    </message>
    <message>
        <source>See &apos;chatdesk knowledge list&apos;.</source>
        <translation>见 &apos;chatdesk knowledge list&apos;。</translation>
    </message>
    <message>
        <source>There is no provider “{provider}”.</source>
        <translation>没有提供商“{provider}”。</translation>
    </message>
    <message>
        <source>See &apos;chatdesk providers list&apos;.</source>
        <translation>见 &apos;chatdesk providers list&apos;。</translation>
    </message>
    <message>
        <source>gets the files</source>
        <translation>会得到文件</translation>
    </message>
    <message>
        <source>Nothing was sent or changed. Add --yes to do it.</source>
        <translation>未发送或更改任何内容。要执行，请加上 --yes。</translation>
    </message>
    <message numerus="yes">
        <source>{count} files read</source>
        <comment>{count} file read</comment>
        <translation>
            <numerusform>已读取 {count} 个文件</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} to be read</source>
        <comment>{count} to be read</comment>
        <translation>
            <numerusform>{count} 个待读取</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} cannot be read</source>
        <comment>{count} cannot be read</comment>
        <translation>
            <numerusform>{count} 个无法读取</numerusform>
        </translation>
    </message>
    <message>
        <source>paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>keep all data in DIR (or set CHATDESK_DATA_DIR)</source>
        <translation>将所有数据保存在 DIR 中（也可设置 CHATDESK_DATA_DIR）</translation>
    </message>
    <message>
        <source>write more to the log, and to stderr too</source>
        <translation>记录更多日志，并同时输出到 stderr</translation>
    </message>
    <message>
        <source>Chat with language models. Without a command, the window opens.</source>
        <translation>与语言模型聊天。不带命令时打开窗口。</translation>
    </message>
    <message>
        <source>also write a zip to attach to a bug report</source>
        <translation>另外写出一个 zip，可附在错误报告中</translation>
    </message>
    <message>
        <source>repair the database, keeping a copy of it</source>
        <translation>修复数据库，并保留一份副本</translation>
    </message>
    <message>
        <source>The output could not be written: {reason}.</source>
        <translation>无法写入输出：{reason}。</translation>
    </message>
    <message>
        <source>unrecognized arguments: {unknown}</source>
        <translation>无法识别的参数：{unknown}</translation>
    </message>
    <message>
        <source>Something unexpected happened: {title}. Your messages are kept.</source>
        <translation>发生了意外情况：{title}。消息已保留。</translation>
    </message>
    <message>
        <source>A report is in {path}.</source>
        <translation>报告位于 {path}。</translation>
    </message>
    <message>
        <source>let an editor or assistant read threads (MCP, stdio)</source>
        <translation>让编辑器或助手读取对话（MCP、stdio）</translation>
    </message>
    <message>
        <source>also allow ask, write (drafts), or ask,write</source>
        <translation>另外允许 ask、write（草稿）或 ask,write</translation>
    </message>
    <message>
        <source>it must be ask, write, or ask,write</source>
        <translation>必须是 ask、write 或 ask,write</translation>
    </message>
    <message>
        <source>Give the id of a thread, a link that begins with chatdesk://, or the path of a file.</source>
        <translation>请给出对话的标识、以 chatdesk:// 开头的链接或文件路径。</translation>
    </message>
    <message>
        <source>“{target}” is neither a thread, a link nor a file that is there.</source>
        <translation>“{target}”既不是对话，也不是链接，也不是存在的文件。</translation>
    </message>
    <message>
        <source>show a thread, a link or a file in the window</source>
        <translation>在窗口中显示对话、链接或文件</translation>
    </message>
    <message>
        <source>the id of a thread, a link (chatdesk://…), an export of chats or an invitation</source>
        <translation>对话的 ID、链接（chatdesk://…）、聊天的导出文件或邀请</translation>
    </message>
    <message>
        <source>start a new thread, as the launcher&apos;s menu does</source>
        <translation>新建对话，与启动器菜单相同</translation>
    </message>
    <message>
        <source>open the search, as the launcher&apos;s menu does</source>
        <translation>打开搜索，与启动器菜单相同</translation>
    </message>
    <message>
        <source>open the field for a quick question (to bind to a key)</source>
        <translation>打开快速提问栏（可绑定到按键）</translation>
    </message>
    <message>
        <source>key from {variable}</source>
        <translation>来自 {variable} 的密钥</translation>
    </message>
    <message>
        <source>key in the keyring</source>
        <translation>密钥环中的密钥</translation>
    </message>
    <message>
        <source>key in the encrypted file</source>
        <translation>加密文件中的密钥</translation>
    </message>
    <message>
        <source>key for this run</source>
        <translation>仅本次运行的密钥</translation>
    </message>
    <message>
        <source>no key</source>
        <translation>无密钥</translation>
    </message>
    <message>
        <source>key withheld</source>
        <translation>密钥已扣留</translation>
    </message>
    <message>
        <source>skipped</source>
        <translation>已跳过</translation>
    </message>
    <message>
        <source>list the providers that are set up</source>
        <translation>列出已设置的提供商</translation>
    </message>
    <message>
        <source>test each of them, step by step</source>
        <translation>逐步测试每个提供商</translation>
    </message>
    <message>
        <source>allow this provider&apos;s key to be sent to its current server</source>
        <translation>允许将此提供商的密钥发送到它现在的服务器</translation>
    </message>
    <message>
        <source>No key of {provider} is waiting for your agreement.</source>
        <translation>没有 {provider} 的密钥在等待你的同意。</translation>
    </message>
    <message>
        <source>with --agree: do not ask</source>
        <translation>与 --agree 一起使用：不询问</translation>
    </message>
    <message>
        <source>a JSON array</source>
        <translation>一个 JSON 数组</translation>
    </message>
    <message>
        <source>Offline demo</source>
        <translation>离线演示</translation>
    </message>
    <message>
        <source>Agreed: the key of {provider} goes to {server}.</source>
        <translation>已同意：{provider} 的密钥将发送到 {server}。</translation>
    </message>
    <message>
        <source>Offline demo, without network</source>
        <translation>离线演示，不使用网络</translation>
    </message>
    <message>
        <source>switched off</source>
        <translation>已关闭</translation>
    </message>
    <message>
        <source>Messages</source>
        <translation>消息</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Projects</source>
        <translation>项目</translation>
    </message>
    <message>
        <source>Tags</source>
        <translation>标签</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>search messages, threads, projects, tags and files</source>
        <translation>搜索消息、对话、项目、标签和文件</translation>
    </message>
    <message>
        <source>words, &quot;phrases&quot;, begin*, -not, tag:, before:, …</source>
        <translation>词语、&quot;短语&quot;、开头*、-排除、tag:、before:、…</translation>
    </message>
    <message>
        <source>at most N hits of each kind (20)</source>
        <translation>每类最多 N 个结果（20）</translation>
    </message>
    <message>
        <source>a JSON array of groups</source>
        <translation>由分组组成的 JSON 数组</translation>
    </message>
    <message>
        <source>{kind} (more than {count})</source>
        <translation>{kind}（超过 {count}）</translation>
    </message>
    <message>
        <source>{kind} ({count})</source>
        <translation>{kind}（{count}）</translation>
    </message>
    <message>
        <source>Nothing was found.</source>
        <translation>未找到任何内容。</translation>
    </message>
    <message>
        <source>Indexing: {percent} %</source>
        <translation>正在建立索引：{percent} %</translation>
    </message>
    <message>
        <source>read, write, ask, admin or remote (read)</source>
        <translation>read、write、ask、admin 或 remote（read）</translation>
    </message>
    <message>
        <source>expire after N days</source>
        <translation>N 天后过期</translation>
    </message>
    <message>
        <source>at most N requests a minute</source>
        <translation>每分钟最多 N 个请求</translation>
    </message>
    <message>
        <source>serve other programs on this computer until Ctrl+C</source>
        <translation>为此计算机上的其他程序提供服务，直到按下 Ctrl+C</translation>
    </message>
    <message>
        <source>port to listen on; 0 means any free port</source>
        <translation>监听的端口；0 表示任意空闲端口</translation>
    </message>
    <message>
        <source>make, list and revoke tokens for other programs</source>
        <translation>创建、列出和撤销供其他程序使用的令牌</translation>
    </message>
    <message>
        <source>make a token and print it; it is not shown again</source>
        <translation>创建令牌并打印；之后不会再显示</translation>
    </message>
    <message>
        <source>name of the program that will use it</source>
        <translation>将使用它的程序的名称</translation>
    </message>
    <message>
        <source>allow access to this project only</source>
        <translation>仅允许访问此项目</translation>
    </message>
    <message>
        <source>use at most N model tokens a minute</source>
        <translation>每分钟最多使用 N 个模型 token</translation>
    </message>
    <message>
        <source>spend at most USD dollars a day</source>
        <translation>每天最多花费 USD 美元</translation>
    </message>
    <message>
        <source>write the token to this file instead of printing it</source>
        <translation>将令牌写入此文件而不是显示出来</translation>
    </message>
    <message>
        <source>list the tokens, without their secret texts</source>
        <translation>列出令牌，不显示其密文</translation>
    </message>
    <message>
        <source>revoke a token and end what is being done with it</source>
        <translation>撤销令牌，并结束正在用它进行的操作</translation>
    </message>
    <message>
        <source>its name or id</source>
        <translation>其名称或 ID</translation>
    </message>
    <message>
        <source>Listening on {url}</source>
        <translation>正在监听 {url}</translation>
    </message>
    <message>
        <source>Listening on {socket}</source>
        <translation>正在监听 {socket}</translation>
    </message>
    <message>
        <source>The token “{name}”, which is shown only now:</source>
        <translation>令牌“{name}”，仅此时显示：</translation>
    </message>
    <message>
        <source>The token “{name}” is revoked.</source>
        <translation>令牌“{name}”已撤销。</translation>
    </message>
    <message>
        <source>never used</source>
        <translation>从未使用</translation>
    </message>
    <message>
        <source>used {time}</source>
        <translation>{time} 使用过</translation>
    </message>
    <message>
        <source>until {time}</source>
        <translation>至 {time}</translation>
    </message>
    <message>
        <source>There are no tokens.</source>
        <translation>没有令牌。</translation>
    </message>
    <message>
        <source>it must be a number from 0 to 65535</source>
        <translation>必须是 0 到 65535 之间的数字</translation>
    </message>
    <message>
        <source>it must be a number above 0 and below 1,000,000</source>
        <translation>必须是大于 0 且小于 1,000,000 的数字</translation>
    </message>
    <message>
        <source>share projects through a team&apos;s database</source>
        <translation>通过团队的数据库共享项目</translation>
    </message>
    <message>
        <source>Use Settings, Team sync in its window, or close it first.</source>
        <translation>请使用其窗口中“设置”的“团队同步”，或先关闭窗口。</translation>
    </message>
    <message>
        <source>this profile is in no workspace</source>
        <translation>此配置不在任何工作区中</translation>
    </message>
    <message>
        <source>owner</source>
        <translation>所有者</translation>
    </message>
    <message>
        <source>show the state of this profile&apos;s workspaces, and what was refused</source>
        <translation>显示此配置的工作区的状态，以及被拒绝的内容</translation>
    </message>
    <message>
        <source>check a server before making a workspace, or what the server of one has lost</source>
        <translation>在创建工作区之前检查服务器，或检查某个工作区的服务器丢失了什么</translation>
    </message>
    <message>
        <source>show or set who may invite and share in a workspace, and its limits</source>
        <translation>显示或设置谁可以在工作区中邀请和共享，以及工作区的限制</translation>
    </message>
    <message>
        <source>what an owner of the workspace sets</source>
        <translation>工作区所有者所设置的内容</translation>
    </message>
    <message>
        <source>parked: this profile was restored, repaired or copied, and is not connected</source>
        <translation>已搁置：此配置文件经过恢复、修复或复制，未连接</translation>
    </message>
    <message>
        <source>&apos;chatdesk team join&apos; connects again</source>
        <translation>&apos;chatdesk team join&apos; 会重新连接</translation>
    </message>
    <message>
        <source>member</source>
        <translation>成员</translation>
    </message>
    <message numerus="yes">
        <source>{count} shared</source>
        <comment>{count} shared</comment>
        <translation>
            <numerusform>{count} 个已共享</numerusform>
        </translation>
    </message>
    <message>
        <source>{waiting} waiting, {refused} refused</source>
        <translation>{waiting} 个等待中，{refused} 个被拒绝</translation>
    </message>
    <message>
        <source>The window lets it go on without them: Settings, Team sync, Details.</source>
        <translation>可在窗口中不带它们继续：“设置”的“团队同步”中的“详情”。</translation>
    </message>
    <message numerus="yes">
        <source>{number} projects</source>
        <comment>{number} project</comment>
        <translation>
            <numerusform>{number} 个项目</numerusform>
        </translation>
    </message>
    <message>
        <source>list the members, as the server has them now</source>
        <translation>列出服务器上当前的成员</translation>
    </message>
    <message>
        <source>name or id of the workspace, if there are several</source>
        <translation>工作区的名称或 ID（有多个时）</translation>
    </message>
    <message>
        <source>wait for the server at most this long ({seconds})</source>
        <translation>等待服务器的最长时间（{seconds}）</translation>
    </message>
    <message>
        <source>Only owners erase a project.</source>
        <translation>只有所有者可以抹除项目。</translation>
    </message>
    <message>
        <source>“{name}” is erased.</source>
        <translation>“{name}”已抹除。</translation>
    </message>
    <message>
        <source>There is no such workspace in this profile.</source>
        <translation>此配置中没有这样的工作区。</translation>
    </message>
    <message>
        <source>&apos;chatdesk team status&apos; lists them.</source>
        <translation>&apos;chatdesk team status&apos; 会列出它们。</translation>
    </message>
    <message>
        <source>There are several workspaces.</source>
        <translation>有多个工作区。</translation>
    </message>
    <message>
        <source>Name one by its id; &apos;chatdesk team status&apos; lists them.</source>
        <translation>请用 ID 指定一个；&apos;chatdesk team status&apos; 可列出它们。</translation>
    </message>
    <message>
        <source>Passphrase of the file of keys: </source>
        <translation>密钥文件的密码短语： </translation>
    </message>
    <message>
        <source>There is no keyring here. New passphrase for an encrypted file of keys: </source>
        <translation>此处没有密钥环。请为加密的密钥文件设置新密码短语： </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait</source>
        <comment>{count} change waits</comment>
        <translation>
            <numerusform>{count} 项更改等待中</numerusform>
        </translation>
    </message>
    <message>
        <source>No passphrase was given.</source>
        <translation>未提供密码短语。</translation>
    </message>
    <message>
        <source>Type it when you are asked, give it as the next line of stdin, or set {variable}.</source>
        <translation>在询问时输入，作为标准输入的下一行给出，或设置 {variable}。</translation>
    </message>
    <message>
        <source>make a workspace in an empty database</source>
        <translation>在空数据库中创建工作区</translation>
    </message>
    <message>
        <source>name of the workspace</source>
        <translation>工作区的名称</translation>
    </message>
    <message>
        <source>your name, as the others see it</source>
        <translation>其他人看到的名称</translation>
    </message>
    <message>
        <source>print an invitation</source>
        <translation>打印一个邀请</translation>
    </message>
    <message>
        <source>name of the person</source>
        <translation>此人的名称</translation>
    </message>
    <message>
        <source>valid for N days (7)</source>
        <translation>N 天内有效（7）</translation>
    </message>
    <message>
        <source>stop being a member, on all computers</source>
        <translation>在所有计算机上不再是成员</translation>
    </message>
    <message>
        <source>upgrade the database of a workspace</source>
        <translation>升级工作区的数据库</translation>
    </message>
    <message>
        <source>the login that set the database up</source>
        <translation>创建该数据库时所用的登录名</translation>
    </message>
    <message>
        <source>read a password and print the form in which Postgres stores it</source>
        <translation>读取密码，打印 Postgres 为其存储的内容</translation>
    </message>
    <message>
        <source>The workspace {name} was made. You are its owner.</source>
        <translation>工作区 {name} 已创建。你是其所有者。</translation>
    </message>
    <message>
        <source>The invitation is in {file}. Anyone who has it can join.</source>
        <translation>邀请在 {file} 中。任何持有它的人都可以加入。</translation>
    </message>
    <message>
        <source>Passphrase: </source>
        <translation>密码短语： </translation>
    </message>
    <message>
        <source>You are in the workspace {name} now.</source>
        <translation>你现在在工作区 {name} 中。</translation>
    </message>
    <message>
        <source>Leave {name}? Its projects stay here as private copies.</source>
        <translation>离开 {name} 吗？其项目会作为私有副本留在此处。</translation>
    </message>
    <message>
        <source>You left {name}.</source>
        <translation>你已离开 {name}。</translation>
    </message>
    <message>
        <source>Connect to {name}, the database {database} on {host}:{port}?</source>
        <translation>连接到 {name}，即 {host}:{port} 上的数据库 {database} 吗？</translation>
    </message>
    <message>
        <source>You are in {name} again.</source>
        <translation>你又回到 {name} 中了。</translation>
    </message>
    <message>
        <source>shared project, and the role in it: viewer, editor, admin or owner; may be repeated</source>
        <translation>共享项目及其中的角色：viewer、editor、admin 或 owner；可重复指定</translation>
    </message>
    <message>
        <source>write the invitation to this file instead of printing it</source>
        <translation>将邀请写入此文件，而不打印</translation>
    </message>
    <message>
        <source>join with an invitation, or with a code from another computer of yours</source>
        <translation>用邀请或自己另一台计算机的代码加入</translation>
    </message>
    <message>
        <source>accept a server without encryption</source>
        <translation>接受不加密的服务器</translation>
    </message>
    <message>
        <source>stop syncing; everything stays on this computer</source>
        <translation>停止同步；所有内容都留在此计算机上</translation>
    </message>
    <message>
        <source>print a code for another computer of yours</source>
        <translation>打印供自己另一台计算机使用的代码</translation>
    </message>
    <message>
        <source>write the code to this file instead of printing it</source>
        <translation>将代码写入此文件而不是显示出来</translation>
    </message>
    <message>
        <source>login that owns the database and may create roles</source>
        <translation>拥有数据库并可创建角色的登录名</translation>
    </message>
    <message>
        <source>address of the server, as postgresql://login@host:5432/database</source>
        <translation>服务器的地址，格式为 postgresql://login@host:5432/database</translation>
    </message>
    <message>
        <source>file with the invitation or the code; - reads it from stdin. Without it, a parked team is joined again</source>
        <translation>包含邀请或代码的文件；- 从 stdin 读取。不给出时，重新加入已搁置的团队</translation>
    </message>
    <message>
        <source>name or IP address of the server, instead of --url</source>
        <translation>服务器的名称或 IP 地址，代替 --url</translation>
    </message>
    <message>
        <source>name of the database</source>
        <translation>数据库的名称</translation>
    </message>
    <message>
        <source>certificate of the server&apos;s authority, if it is a private one</source>
        <translation>服务器颁发机构的证书（若为私有机构）</translation>
    </message>
    <message>
        <source>connect without encryption; only for a network of your own</source>
        <translation>不加密连接；仅用于自己的网络</translation>
    </message>
    <message>
        <source>for {name}; it works once, and anyone who has it can join</source>
        <translation>供 {name} 使用；仅可使用一次，任何持有者都能加入</translation>
    </message>
    <message>
        <source>its passphrase is {passphrase}; both are valid for a day</source>
        <translation>其密码短语为 {passphrase}；两者有效期均为一天</translation>
    </message>
    <message>
        <source>The database of {name} is up to date.</source>
        <translation>{name} 的数据库是最新的。</translation>
    </message>
    <message>
        <source>Password of {user}: </source>
        <translation>{user} 的密码： </translation>
    </message>
    <message>
        <source>Password: </source>
        <translation>密码： </translation>
    </message>
    <message>
        <source>The others see you as {name}.</source>
        <translation>其他人看到的你是 {name}。</translation>
    </message>
    <message numerus="yes">
        <source>{count} shared projects are called “{name}”.</source>
        <comment>{count} shared project is called “{name}”.</comment>
        <translation>
            <numerusform>有 {count} 个共享项目名为“{name}”。</numerusform>
        </translation>
    </message>
    <message>
        <source>No shared project is called “{name}”.</source>
        <translation>没有名为“{name}”的共享项目。</translation>
    </message>
    <message>
        <source>Nobody was invited.</source>
        <translation>未邀请任何人。</translation>
    </message>
    <message>
        <source>Share it first (&apos;chatdesk team share&apos;), or give its id.</source>
        <translation>请先共享它（&apos;chatdesk team share&apos;），或给出其 ID。</translation>
    </message>
    <message>
        <source>“{given}” is not a limit with its value.</source>
        <translation>“{given}”不是带值的限制。</translation>
    </message>
    <message>
        <source>Use NAME=VALUE with one of these names: {names}.</source>
        <translation>请使用 NAME=VALUE，名称为以下之一：{names}。</translation>
    </message>
    <message>
        <source>“{role}” is not a role.</source>
        <translation>“{role}”不是角色。</translation>
    </message>
    <message>
        <source>Use viewer, editor, admin or owner.</source>
        <translation>请使用 viewer、editor、admin 或 owner。</translation>
    </message>
    <message>
        <source>Do not put a password into the arguments: everybody on this computer can see them.</source>
        <translation>不要把密码放在参数中：此计算机上的所有人都能看到。</translation>
    </message>
    <message>
        <source>Nothing was sent.</source>
        <translation>未发送任何内容。</translation>
    </message>
    <message>
        <source>Change that password, since others may have seen it, and give the new one on stdin or in {variable}.</source>
        <translation>他人可能已看到该密码，请更改它，然后通过 stdin 或 {variable} 给出新密码。</translation>
    </message>
    <message>
        <source>{name} is not a certificate in PEM form.</source>
        <translation>{name} 不是 PEM 格式的证书。</translation>
    </message>
    <message>
        <source>{path}: {reason}.</source>
        <translation>{path}：{reason}。</translation>
    </message>
    <message>
        <source>Check the name of the file.</source>
        <translation>请检查文件名。</translation>
    </message>
    <message>
        <source>share a project with a workspace</source>
        <translation>与工作区共享项目</translation>
    </message>
    <message>
        <source>send waiting changes and fetch those of others</source>
        <translation>发送等待中的更改，并获取他人的更改</translation>
    </message>
    <message>
        <source>Share “{project}” ({threads}, {messages}) with {workspace}? What is sent cannot be taken back from those who have read it.</source>
        <translation>将“{project}”（{threads}，{messages}）与 {workspace} 共享吗？已发送的内容无法从读过的人那里收回。</translation>
    </message>
    <message>
        <source>“{name}” is the project into which new threads go: what you ask from now on without naming another project is shared, too.</source>
        <translation>“{name}”是新对话默认进入的项目：从现在起，未指定其他项目的提问也会被共享。</translation>
    </message>
    <message>
        <source>“{project}” is shared with {workspace}.</source>
        <translation>“{project}”已与 {workspace} 共享。</translation>
    </message>
    <message>
        <source>This is a private copy.</source>
        <translation>这是私有副本。</translation>
    </message>
    <message>
        <source>is up to date</source>
        <translation>已是最新</translation>
    </message>
    <message>
        <source>{state}, {count} refused (&apos;chatdesk team status&apos; lists them)</source>
        <translation>{state}，{count} 项被拒绝（&apos;chatdesk team status&apos; 会列出）</translation>
    </message>
    <message>
        <source>{workspace}: {state}.</source>
        <translation>{workspace}：{state}。</translation>
    </message>
    <message>
        <source>The team has not got it yet: {problem} It waits here; &apos;chatdesk team sync&apos; sends it.</source>
        <translation>团队尚未收到：{problem} 内容在此等待；&apos;chatdesk team sync&apos; 会发送。</translation>
    </message>
    <message>
        <source>The team has not got it yet. It waits here; &apos;chatdesk team sync&apos; sends it.</source>
        <translation>团队尚未收到。内容在此等待；&apos;chatdesk team sync&apos; 会发送。</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait here.</source>
        <comment>{count} change waits here.</comment>
        <translation>
            <numerusform>{count} 项更改在此等待。</numerusform>
        </translation>
    </message>
    <message>
        <source>&apos;chatdesk team sync&apos; continues.</source>
        <translation>&apos;chatdesk team sync&apos; 可继续。</translation>
    </message>
    <message>
        <source>This project is not shared.</source>
        <translation>此项目未共享。</translation>
    </message>
    <message>
        <source>list projects, or make one</source>
        <translation>列出项目，或创建一个</translation>
    </message>
    <message>
        <source>make a project and print its id</source>
        <translation>创建项目并输出其 ID</translation>
    </message>
    <message>
        <source>name of the project</source>
        <translation>项目的名称</translation>
    </message>
    <message>
        <source>list threads, latest first</source>
        <translation>列出对话，最近的在前</translation>
    </message>
    <message>
        <source>list archived threads</source>
        <translation>列出已归档的对话</translation>
    </message>
    <message>
        <source>list threads in the trash</source>
        <translation>列出回收站中的对话</translation>
    </message>
    <message>
        <source>list threads of this project</source>
        <translation>列出此项目的对话</translation>
    </message>
    <message>
        <source>list threads with this tag</source>
        <translation>列出带有此标签的对话</translation>
    </message>
    <message>
        <source>at most N threads (50)</source>
        <translation>最多 N 个对话（50）</translation>
    </message>
    <message>
        <source>print a thread</source>
        <translation>打印对话</translation>
    </message>
    <message>
        <source>(archived)</source>
        <translation>（已归档）</translation>
    </message>
    <message>
        <source>ChatDesk is open and keeps the projects.</source>
        <translation>ChatDesk 已打开，项目由它管理。</translation>
    </message>
    <message>
        <source>Make the project there, or close ChatDesk first.</source>
        <translation>请在那里创建项目，或先关闭 ChatDesk。</translation>
    </message>
    <message>
        <source>There is no tag “{tag}”.</source>
        <translation>没有标签“{tag}”。</translation>
    </message>
    <message>
        <source>Check its name in the window.</source>
        <translation>请在窗口中检查其名称。</translation>
    </message>
    <message>
        <source>There are no threads here yet.</source>
        <translation>这里还没有对话。</translation>
    </message>
    <message>
        <source>“{wanted}” is not the beginning of a thread&apos;s id.</source>
        <translation>“{wanted}”不是对话 ID 的开头。</translation>
    </message>
    <message>
        <source>Give at least {count} of its characters; &apos;chatdesk threads&apos; lists them.</source>
        <translation>请至少给出 {count} 个字符；&apos;chatdesk threads&apos; 会列出它们。</translation>
    </message>
    <message>
        <source>No thread&apos;s id begins with {prefix}.</source>
        <translation>没有 ID 以 {prefix} 开头的对话。</translation>
    </message>
    <message>
        <source>&apos;chatdesk threads&apos; lists them.</source>
        <translation>&apos;chatdesk threads&apos; 会列出它们。</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads have ids that begin with {prefix}.</source>
        <comment>{count} thread has an id that begins with {prefix}.</comment>
        <translation>
            <numerusform>有 {count} 个对话的 ID 以 {prefix} 开头。</numerusform>
        </translation>
    </message>
    <message>
        <source>Give more of the id.</source>
        <translation>请给出更多 ID 字符。</translation>
    </message>
    <message>
        <source>it must be a whole number, at least 1</source>
        <translation>必须是不小于 1 的整数</translation>
    </message>
    <message>
        <source>See &apos;chatdesk projects&apos;.</source>
        <translation>见 &apos;chatdesk projects&apos;。</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects are called “{name}”: {projects}.</source>
        <comment>{count} project is called “{name}”: {projects}.</comment>
        <translation>
            <numerusform>有 {count} 个项目名为“{name}”：{projects}。</numerusform>
        </translation>
    </message>
    <message>
        <source>Give the id of one.</source>
        <translation>请给出其中一个的 ID。</translation>
    </message>
    <message>
        <source>No project is called “{name}”.</source>
        <translation>没有名为“{name}”的项目。</translation>
    </message>
    <message>
        <source>No project that is shared is called “{name}”.</source>
        <translation>没有名为“{name}”的已共享项目。</translation>
    </message>
    <message>
        <source>No project that is not shared yet is called “{name}”.</source>
        <translation>没有名为“{name}”且尚未共享的项目。</translation>
    </message>
    <message>
        <source>switch a server on</source>
        <translation>开启服务器</translation>
    </message>
    <message>
        <source>switch a server off</source>
        <translation>关闭服务器</translation>
    </message>
    <message>
        <source>sign in to a server over HTTP, in your browser</source>
        <translation>在浏览器中登录 HTTP 服务器</translation>
    </message>
    <message>
        <source>start servers and list their tools, step by step</source>
        <translation>启动服务器并列出其工具，逐步进行</translation>
    </message>
    <message>
        <source>environment variable whose value is kept in the keyring and given to the server; may be repeated</source>
        <translation>其值保存在密钥环中并提供给服务器的环境变量；可重复指定</translation>
    </message>
    <message>
        <source>remove a server</source>
        <translation>移除服务器</translation>
    </message>
    <message>
        <source>sign out of a server</source>
        <translation>退出服务器登录</translation>
    </message>
    <message>
        <source>set up the servers whose tools models may use</source>
        <translation>设置模型可以使用其工具的服务器</translation>
    </message>
    <message>
        <source>list the servers, and whether they are on</source>
        <translation>列出服务器及其是否已开启</translation>
    </message>
    <message>
        <source>add a server; put options before its name</source>
        <translation>添加服务器；选项写在其名称之前</translation>
    </message>
    <message>
        <source>name of the server</source>
        <translation>服务器的名称</translation>
    </message>
    <message>
        <source>program to run, with its arguments</source>
        <translation>要运行的程序及其参数</translation>
    </message>
    <message>
        <source>address of the server, if it is reached over HTTP</source>
        <translation>服务器的地址（通过 HTTP 访问时）</translation>
    </message>
    <message>
        <source>id of the OAuth client that you registered for the address</source>
        <translation>为该地址注册的 OAuth 客户端的 ID</translation>
    </message>
    <message>
        <source>environment variable that holds the client&apos;s secret</source>
        <translation>存放客户端密钥的环境变量</translation>
    </message>
    <message>
        <source>folder in which the program runs (by default an empty one)</source>
        <translation>程序运行所在的文件夹（默认为空文件夹）</translation>
    </message>
    <message>
        <source>add servers from the JSON settings of another program</source>
        <translation>从其他程序的 JSON 设置中添加服务器</translation>
    </message>
    <message>
        <source>file with the JSON; - reads it from stdin</source>
        <translation>含有 JSON 的文件；- 表示从 stdin 读取</translation>
    </message>
    <message>
        <source>id of the server (by default all that are on)</source>
        <translation>服务器的 ID（默认为所有已开启的）</translation>
    </message>
    <message>
        <source>id of the server</source>
        <translation>服务器的 ID</translation>
    </message>
    <message>
        <source>list what tools may do without asking again</source>
        <translation>列出工具无需再次询问即可做的事</translation>
    </message>
    <message>
        <source>take back permissions of a server&apos;s tools</source>
        <translation>收回服务器工具的许可</translation>
    </message>
    <message>
        <source>name of the tool (by default all tools of the server)</source>
        <translation>工具的名称（默认为服务器的所有工具）</translation>
    </message>
    <message>
        <source>show or set the folder in which tools work for a project</source>
        <translation>显示或设置工具为项目工作所用的文件夹</translation>
    </message>
    <message>
        <source>folder to set; without it, the current one is shown</source>
        <translation>要设置的文件夹；省略时显示当前的文件夹</translation>
    </message>
    <message>
        <source>remove the folder from the project</source>
        <translation>从项目中移除文件夹</translation>
    </message>
    <message>
        <source>ChatDesk is open and keeps the tool servers.</source>
        <translation>ChatDesk 已打开，并管理着工具服务器。</translation>
    </message>
    <message>
        <source>Change them in Settings, Tools, or close ChatDesk first.</source>
        <translation>请在“设置”的“工具”中更改它们，或先关闭 ChatDesk。</translation>
    </message>
    <message>
        <source>on</source>
        <translation>开</translation>
    </message>
    <message>
        <source>off</source>
        <translation>关</translation>
    </message>
    <message>
        <source>A server has either an address or a command.</source>
        <translation>服务器要么有地址，要么有命令。</translation>
    </message>
    <message>
        <source>Write: add --address URL NAME, or: add NAME COMMAND ARGUMENTS.</source>
        <translation>请写：add --address URL NAME，或：add NAME COMMAND ARGUMENTS。</translation>
    </message>
    <message>
        <source>The variable {first} is not set here.</source>
        <translation>此处未设置变量 {first}。</translation>
    </message>
    <message>
        <source>{name}: {field} is still to be filled in.</source>
        <translation>{name}：{field} 仍待填写。</translation>
    </message>
    <message>
        <source>They are off until you switch them on: chatdesk tools on SERVER.</source>
        <translation>在开启之前它们是关闭的：chatdesk tools on SERVER。</translation>
    </message>
    <message>
        <source>There was no such permission.</source>
        <translation>没有这样的许可。</translation>
    </message>
    <message>
        <source>ok</source>
        <translation>正常</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>Sign in to {name} in your browser. If no page opens, open this one:</source>
        <translation>请在浏览器中登录 {name}。如果没有打开页面，请打开此页面：</translation>
    </message>
    <message>
        <source>Signed in.</source>
        <translation>已登录。</translation>
    </message>
    <message>
        <source>{name} did not ask you to sign in.</source>
        <translation>{name} 未要求登录。</translation>
    </message>
    <message>
        <source>Signed out, here and at the server.</source>
        <translation>已在此处和服务器上退出登录。</translation>
    </message>
    <message>
        <source>Signed out on this computer. The server was not told, or cannot withdraw the sign-in.</source>
        <translation>已在此计算机上退出登录。未通知服务器，或服务器无法撤回登录。</translation>
    </message>
    <message>
        <source>There is no tool server “{name}”.</source>
        <translation>没有工具服务器“{name}”。</translation>
    </message>
    <message>
        <source>See chatdesk tools list.</source>
        <translation>见 chatdesk tools list。</translation>
    </message>
    <message>
        <source>comes with ChatDesk</source>
        <translation>随 ChatDesk 附带</translation>
    </message>
    <message>
        <source>{place} could not be read.</source>
        <translation>无法读取 {place}。</translation>
    </message>
    <message>
        <source>address of SearXNG</source>
        <translation>SearXNG 的地址</translation>
    </message>
    <message>
        <source>The variable {key} is not set here.</source>
        <translation>此处未设置变量 {key}。</translation>
    </message>
    <message>
        <source>show or set the search engine that models use for the web</source>
        <translation>显示或设置模型用于网络搜索的搜索引擎</translation>
    </message>
    <message>
        <source>environment variable that holds the key</source>
        <translation>存放密钥的环境变量</translation>
    </message>
    <message>
        <source>test the engine step by step; an ENGINE that is given is tested without being set</source>
        <translation>逐步测试引擎；若给出 ENGINE，则只测试而不设置</translation>
    </message>
    <message>
        <source>remove the stored key of the engine</source>
        <translation>移除已保存的引擎密钥</translation>
    </message>
    <message>
        <source>print a JSON object, or with --test an array of its steps</source>
        <translation>打印一个 JSON 对象；使用 --test 时打印各步骤的数组</translation>
    </message>
    <message>
        <source>Name the engine whose key should be removed.</source>
        <translation>请指明要移除其密钥的引擎。</translation>
    </message>
    <message>
        <source>with a key</source>
        <translation>有密钥</translation>
    </message>
    <message>
        <source>without a key</source>
        <translation>无密钥</translation>
    </message>
    <message>
        <source>No search engine is chosen.</source>
        <translation>未选择搜索引擎。</translation>
    </message>
    <message>
        <source>Name one to test it.</source>
        <translation>请指明一个来测试。</translation>
    </message>
    <message>
        <source>Left out: an answer has at most {most_in_message} pictures.</source>
        <translation>已略去：一个回答最多有 {most_in_message} 张图片。</translation>
    </message>
    <message>
        <source>Not kept: {reason}</source>
        <translation>未保留：{reason}</translation>
    </message>
    <message>
        <source>The pictures of this answer are larger than {most_bytes} MB together.</source>
        <translation>此回答的图片合计超过 {most_bytes} MB。</translation>
    </message>
    <message>
        <source>It is not a picture that can be shown.</source>
        <translation>它不是可以显示的图片。</translation>
    </message>
    <message>
        <source>The picture is damaged.</source>
        <translation>图片已损坏。</translation>
    </message>
    <message>
        <source>The picture is empty.</source>
        <translation>图片为空。</translation>
    </message>
    <message>
        <source>Remove some and send them with the next message, or raise the limit in Settings, Usage and limits.</source>
        <translation>请移除一些并随下一条消息发送，或在“设置”的“用量与限额”中提高上限。</translation>
    </message>
    <message>
        <source>Choose another file, or change the kinds in Settings, Usage and limits.</source>
        <translation>请选择其他文件，或在“设置”的“用量与限额”中更改类型。</translation>
    </message>
    <message>
        <source>Your text and the attachments are kept.</source>
        <translation>文字和附件已保留。</translation>
    </message>
    <message>
        <source>“{name}” is of a kind that may not be attached: {mime}.</source>
        <translation>“{name}”属于不允许附加的类型：{mime}。</translation>
    </message>
    <message>
        <source>A message can have at most {number} files; there are {attachments}.</source>
        <translation>一条消息最多可有 {number} 个文件；现有 {attachments} 个。</translation>
    </message>
    <message>
        <source>The files of one message can have at most {limit} together; these have {total}.</source>
        <translation>一条消息的文件合计最多 {limit}；这些文件共 {total}。</translation>
    </message>
    <message>
        <source>With “{name}”, the files attached today would have {total}; the limit for a day is {limit}.</source>
        <translation>加上“{name}”，今天附加的文件将共 {total}；每天的上限为 {limit}。</translation>
    </message>
    <message>
        <source>Your text and the other attachments are kept.</source>
        <translation>文字和其他附件已保留。</translation>
    </message>
    <message>
        <source>Attach it tomorrow, or raise the limit in Settings, Usage and limits.</source>
        <translation>请明天再附加，或在“设置”的“用量与限额”中提高上限。</translation>
    </message>
    <message>
        <source>A message can have {number} files; {number_2} were left out.</source>
        <translation>一条消息可有 {number} 个文件；{number_2} 个未包含。</translation>
    </message>
    <message>
        <source>The attached file is no longer there.</source>
        <translation>附加的文件已不存在。</translation>
    </message>
    <message>
        <source>The attached file is larger than it was.</source>
        <translation>附加的文件比之前大。</translation>
    </message>
    <message>
        <source>That is not the checksum of a file.</source>
        <translation>那不是文件的校验和。</translation>
    </message>
    <message>
        <source>The file could not be stored with your messages: {reason}.</source>
        <translation>文件无法与你的消息一起保存：{reason}。</translation>
    </message>
    <message>
        <source>Make room on the disk or choose another data directory, then attach it again.</source>
        <translation>请腾出磁盘空间或选择另一个数据目录，然后重新附加。</translation>
    </message>
    <message>
        <source>It needs too much time or memory to be read.</source>
        <translation>读取它需要过多时间或内存。</translation>
    </message>
    <message>
        <source>It is damaged.</source>
        <translation>它已损坏。</translation>
    </message>
    <message>
        <source>It has more than {most_pixels} million pixels.</source>
        <translation>它超过 {most_pixels} 百万像素。</translation>
    </message>
    <message>
        <source>It is damaged, or not an image that can be shown.</source>
        <translation>它已损坏，或不是可以显示的图像。</translation>
    </message>
    <message>
        <source>“{name}” is empty.</source>
        <translation>“{name}”为空。</translation>
    </message>
    <message>
        <source>Attach a file that is not empty.</source>
        <translation>请附加非空的文件。</translation>
    </message>
    <message>
        <source>The image “{name}” cannot be attached. {reason}</source>
        <translation>无法附加图片“{name}”。{reason}</translation>
    </message>
    <message>
        <source>Save it again with a drawing program, smaller if need be, and attach that.</source>
        <translation>请用绘图程序重新保存（必要时缩小），然后附加。</translation>
    </message>
    <message>
        <source>“{name}” is not there.</source>
        <translation>找不到“{name}”。</translation>
    </message>
    <message>
        <source>“{name}” is not a file that can be read.</source>
        <translation>“{name}”不是可以读取的文件。</translation>
    </message>
    <message>
        <source>“{name}” is a folder.</source>
        <translation>“{name}”是文件夹。</translation>
    </message>
    <message>
        <source>Attach the files in it.</source>
        <translation>请附加其中的文件。</translation>
    </message>
    <message>
        <source>its name or place is not valid</source>
        <translation>名称或位置无效</translation>
    </message>
    <message>
        <source>“{name}” cannot be read: {reason}.</source>
        <translation>无法读取“{name}”：{reason}。</translation>
    </message>
    <message>
        <source>Check the file, then attach it again.</source>
        <translation>请检查文件，然后重新附加。</translation>
    </message>
    <message>
        <source>It needs too much memory.</source>
        <translation>它需要过多内存。</translation>
    </message>
    <message>
        <source>It is damaged and cannot be read.</source>
        <translation>它已损坏，无法读取。</translation>
    </message>
    <message>
        <source>What {who} has there is not an image that can be shown.</source>
        <translation>{who} 上的内容不是可以显示的图像。</translation>
    </message>
    <message>
        <source>The image could not be loaded.</source>
        <translation>无法加载图像。</translation>
    </message>
    <message>
        <source>The image is on another server: {host}.</source>
        <translation>图像位于另一台服务器：{host}。</translation>
    </message>
    <message>
        <source>{host} is in your own network.</source>
        <translation>{host} 在你自己的网络中。</translation>
    </message>
    <message>
        <source>Shown by ChatDesk, once. Scripts and links are off; nothing is loaded or sent.</source>
        <translation>由 ChatDesk 显示一次。脚本和链接已关闭；不加载也不发送任何内容。</translation>
    </message>
    <message>
        <source>This page is empty.</source>
        <translation>此页面为空。</translation>
    </message>
    <message>
        <source>Nothing was opened.</source>
        <translation>未打开任何内容。</translation>
    </message>
    <message>
        <source>This page is larger than {most_bytes} MB.</source>
        <translation>此页面大于 {most_bytes} MB。</translation>
    </message>
    <message>
        <source>Save it as a file instead.</source>
        <translation>请改为保存为文件。</translation>
    </message>
    <message>
        <source>Files of this kind have no text that can be read.</source>
        <translation>此类文件没有可读取的文字。</translation>
    </message>
    <message>
        <source>There is no text in it.</source>
        <translation>其中没有文字。</translation>
    </message>
    <message>
        <source>A program for text recognition, such as OCRmyPDF, makes a copy of it that can be read.</source>
        <translation>OCRmyPDF 等文字识别程序可以为它生成可读取的副本。</translation>
    </message>
    <message>
        <source>It is long; its first {cut} characters are read.</source>
        <translation>它很长；只读取前 {cut} 个字符。</translation>
    </message>
    <message>
        <source>It does not say how its characters are encoded. Read as {encoding}: “{sample}”.</source>
        <translation>文件没有说明其字符编码。已按 {encoding} 读取：“{sample}”。</translation>
    </message>
    <message>
        <source>It is protected by a password.</source>
        <translation>它受密码保护。</translation>
    </message>
    <message>
        <source>No text can be read from it; it may hold scanned pages.</source>
        <translation>无法从中读取文字；它可能包含扫描页。</translation>
    </message>
    <message>
        <source>It is long; {read} of its {total} pages are read.</source>
        <translation>它很长；共 {total} 页，只读取 {read} 页。</translation>
    </message>
    <message>
        <source>{damaged} of its {total} pages cannot be read.</source>
        <translation>共 {total} 页，其中 {damaged} 页无法读取。</translation>
    </message>
    <message>
        <source>{scanned} of its {total} pages are pictures.</source>
        <translation>共 {total} 页，其中 {scanned} 页是图片。</translation>
    </message>
    <message>
        <source>The virus scanner found something in the file.</source>
        <translation>病毒扫描程序在文件中发现了问题。</translation>
    </message>
    <message>
        <source>The file was kept out; your text and the other attachments are kept.</source>
        <translation>该文件已被阻止；文字和其他附件已保留。</translation>
    </message>
    <message>
        <source>Do not open the file. If you trust it, ask whoever looks after the scanner.</source>
        <translation>不要打开该文件。如果信任它，请询问扫描程序的管理者。</translation>
    </message>
    <message>
        <source>The virus scanner does not answer, so the file was kept out.</source>
        <translation>病毒扫描程序没有响应，因此该文件已被阻止。</translation>
    </message>
    <message>
        <source>Start the scanner, or change the scanner or what happens without it in Settings, Data and backup.</source>
        <translation>请启动扫描程序，或在“设置”的“数据与备份”中更改扫描程序或缺少它时的处理方式。</translation>
    </message>
    <message>
        <source>Nothing was sent there. The file was kept out; your text and the other attachments are kept.</source>
        <translation>没有向那里发送任何内容。该文件未被接收；你的文本和其他附件已保留。</translation>
    </message>
    <message>
        <source>Enter the scanner anew in Settings, Data and backup, or set {variable} to its address.</source>
        <translation>请在“设置”的“数据与备份”中重新输入扫描程序，或将 {variable} 设为其地址。</translation>
    </message>
    <message>
        <source>The settings in this data directory, which may be somebody else&apos;s, name a virus scanner on another computer: {address}.</source>
        <translation>此数据目录（可能属于他人）中的设置指定了另一台计算机上的病毒扫描程序：{address}。</translation>
    </message>
    <message>
        <source>The virus scanner found “{found}” in the file.</source>
        <translation>病毒扫描程序在文件中发现了“{found}”。</translation>
    </message>
    <message>
        <source>This is not the address of a web page.</source>
        <translation>这不是网页的地址。</translation>
    </message>
    <message>
        <source>Nothing was fetched.</source>
        <translation>未获取任何内容。</translation>
    </message>
    <message>
        <source>There is a file of the type {mime} there.</source>
        <translation>那里是一个类型为 {mime} 的文件。</translation>
    </message>
    <message>
        <source>ChatDesk is closing.</source>
        <translation>ChatDesk 正在关闭。</translation>
    </message>
    <message>
        <source>This message has no text that could be opened as an artifact.</source>
        <translation>此消息没有可作为制品打开的文字。</translation>
    </message>
    <message>
        <source>The version is unchanged.</source>
        <translation>版本保持原样。</translation>
    </message>
    <message>
        <source>This kind of file is not shown here. Save it, or open it with another program.</source>
        <translation>此类文件不在这里显示。请保存它，或用其他程序打开。</translation>
    </message>
    <message>
        <source>The file is too large to be shown here. Save it, or open it with another program.</source>
        <translation>文件太大，无法在这里显示。请保存它，或用其他程序打开。</translation>
    </message>
    <message>
        <source>These versions are too large to be compared here.</source>
        <translation>这些版本太大，无法在这里比较。</translation>
    </message>
    <message>
        <source>Save both to compare.</source>
        <translation>请保存两者进行比较。</translation>
    </message>
    <message>
        <source>Nothing can be opened or edited here, because nothing can be written.</source>
        <translation>这里无法打开或编辑任何内容，因为无法写入。</translation>
    </message>
    <message>
        <source>The message has {size_bytes} bytes; the limit is {most_bytes} bytes.</source>
        <translation>消息有 {size_bytes} 字节；上限为 {most_bytes} 字节。</translation>
    </message>
    <message>
        <source>The copying was stopped.</source>
        <translation>复制已停止。</translation>
    </message>
    <message>
        <source>Nothing can be attached here, because nothing can be written.</source>
        <translation>这里无法附加任何内容，因为无法写入。</translation>
    </message>
    <message>
        <source>ChatDesk was closing.</source>
        <translation>ChatDesk 当时正在关闭。</translation>
    </message>
    <message>
        <source>The file is no longer there.</source>
        <translation>文件已不存在。</translation>
    </message>
    <message>
        <source>The page cannot be handed to your browser: {strerror}.</source>
        <translation>无法将页面交给浏览器：{strerror}。</translation>
    </message>
    <message>
        <source>The attached file or the folder is no longer there.</source>
        <translation>附加的文件或文件夹已不存在。</translation>
    </message>
    <message>
        <source>Choose another place.</source>
        <translation>请选择另一个位置。</translation>
    </message>
    <message>
        <source>The file could not be written: {strerror}.</source>
        <translation>无法写入文件：{strerror}。</translation>
    </message>
    <message>
        <source>The attached file is unchanged.</source>
        <translation>附加的文件未变。</translation>
    </message>
    <message>
        <source>A page holds 1 to {largest_page} rows.</source>
        <translation>一页包含 1 到 {largest_page} 行。</translation>
    </message>
    <message>
        <source>Summaries cannot be made here.</source>
        <translation>这里无法生成摘要。</translation>
    </message>
    <message>
        <source>A summary needs some text.</source>
        <translation>摘要需要有文字。</translation>
    </message>
    <message>
        <source>The old one is kept.</source>
        <translation>旧的已保留。</translation>
    </message>
    <message>
        <source>Or switch it off.</source>
        <translation>或将其关闭。</translation>
    </message>
    <message>
        <source>There may be {most_facts} facts of at most {longest_fact} characters.</source>
        <translation>最多可有 {most_facts} 条事实，每条最多 {longest_fact} 个字符。</translation>
    </message>
    <message>
        <source>The old ones are kept.</source>
        <translation>旧的已保留。</translation>
    </message>
    <message>
        <source>{label} takes no {lacking} from other programs.</source>
        <translation>{label} 不接受来自其他程序的 {lacking}。</translation>
    </message>
    <message>
        <source>Choose a provider that speaks chat completions.</source>
        <translation>请选择支持 chat completions 的提供商。</translation>
    </message>
    <message>
        <source>A draft cannot be empty.</source>
        <translation>草稿不能为空。</translation>
    </message>
    <message>
        <source>The thread has another draft, which a person may be writing.</source>
        <translation>该对话有另一份草稿，可能有人正在编写。</translation>
    </message>
    <message>
        <source>It was not changed.</source>
        <translation>它未被更改。</translation>
    </message>
    <message>
        <source>Write the draft into a new thread.</source>
        <translation>请将草稿写入新对话。</translation>
    </message>
    <message>
        <source>A page holds 1 to {largest_page} rows, not {limit}.</source>
        <translation>一页包含 1 到 {largest_page} 行，而不是 {limit}。</translation>
    </message>
    <message numerus="yes">
        <source>pin {count} threads</source>
        <comment>pin thread</comment>
        <translation>
            <numerusform>固定 {count} 个对话</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>unpin {count} threads</source>
        <comment>unpin thread</comment>
        <translation>
            <numerusform>取消固定 {count} 个对话</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>archive {count} threads</source>
        <comment>archive thread</comment>
        <translation>
            <numerusform>归档 {count} 个对话</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>unarchive {count} threads</source>
        <comment>unarchive thread</comment>
        <translation>
            <numerusform>取消归档 {count} 个对话</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>move {count} threads</source>
        <comment>move thread</comment>
        <translation>
            <numerusform>移动 {count} 个对话</numerusform>
        </translation>
    </message>
    <message>
        <source>That is no note.</source>
        <translation>这不是备注。</translation>
    </message>
    <message>
        <source>The files of the assistants are larger than {most_file_bytes} MB together.</source>
        <translation>助手的文件合计超过 {most_file_bytes} MB。</translation>
    </message>
    <message>
        <source>The prompts are unchanged.</source>
        <translation>提示词未变。</translation>
    </message>
    <message>
        <source>Take large files out of the assistants, and attach them to a message instead.</source>
        <translation>请从助手中取出大文件，改为附加到消息中。</translation>
    </message>
    <message>
        <source>The file could not be read: {strerror}.</source>
        <translation>无法读取文件：{strerror}。</translation>
    </message>
    <message>
        <source>The file is larger than {largest_file_bytes} MB.</source>
        <translation>文件大于 {largest_file_bytes} MB。</translation>
    </message>
    <message>
        <source>The file is no JSON.</source>
        <translation>该文件不是 JSON。</translation>
    </message>
    <message>
        <source>The file contains no prompts of ChatDesk.</source>
        <translation>该文件不包含 ChatDesk 的提示词。</translation>
    </message>
    <message>
        <source>The file contains no list of prompts, or more than {most_prompts}.</source>
        <translation>该文件不包含提示词列表，或超过 {most_prompts} 个。</translation>
    </message>
    <message>
        <source>The file was written by a newer ChatDesk.</source>
        <translation>该文件由较新的 ChatDesk 写入。</translation>
    </message>
    <message>
        <source>Prompt {number} in the file is not one: it needs a kind, a name and a text that is not too long.</source>
        <translation>文件中的提示词 {number} 不是提示词：它需要类型、名称和不太长的文字。</translation>
    </message>
    <message>
        <source>Prompt {number} in the file has no list of files, or too many.</source>
        <translation>文件中的提示词 {number} 没有文件列表，或文件太多。</translation>
    </message>
    <message>
        <source>A file of prompt {number} in the file cannot be read.</source>
        <translation>文件中提示词 {number} 的一个文件无法读取。</translation>
    </message>
    <message>
        <source>Nothing was added.</source>
        <translation>未添加任何内容。</translation>
    </message>
    <message>
        <source>Choose a file that was exported from Prompts.</source>
        <translation>请选择从“提示词”导出的文件。</translation>
    </message>
    <message>
        <source>A prompt needs a text.</source>
        <translation>提示词需要文字。</translation>
    </message>
    <message>
        <source>Type what it is to say, or delete it.</source>
        <translation>请输入内容，或将其删除。</translation>
    </message>
    <message>
        <source>The prompt has {text} characters; the most is {longest_text}.</source>
        <translation>提示词有 {text} 个字符；最多 {longest_text} 个。</translation>
    </message>
    <message>
        <source>Shorten it, or keep the text in a file and attach that.</source>
        <translation>请缩短它，或将文字放入文件并附加。</translation>
    </message>
    <message>
        <source>Your limit of messages is reached.</source>
        <translation>已达到消息限额。</translation>
    </message>
    <message>
        <source>Your limit of messages to this provider is reached.</source>
        <translation>已达到发给此提供商的消息限额。</translation>
    </message>
    <message>
        <source>Your limit of messages in this project is reached.</source>
        <translation>已达到此项目中的消息限额。</translation>
    </message>
    <message>
        <source>The provider takes no more requests for now.</source>
        <translation>提供商目前不再接受请求。</translation>
    </message>
    <message>
        <source>Ask again later.</source>
        <translation>请稍后再提问。</translation>
    </message>
    <message>
        <source>This message is no longer waiting.</source>
        <translation>此消息不再等待。</translation>
    </message>
    <message>
        <source>Between 2 and {most_in_thread} models can be compared.</source>
        <translation>可以比较 2 到 {most_in_thread} 个模型。</translation>
    </message>
    <message>
        <source>Only questions can be edited here.</source>
        <translation>这里只能编辑问题。</translation>
    </message>
    <message>
        <source>Regenerate the answer instead.</source>
        <translation>请改为重新生成回答。</translation>
    </message>
    <message>
        <source>There is no question to answer here.</source>
        <translation>这里没有可回答的问题。</translation>
    </message>
    <message>
        <source>This answer is already complete.</source>
        <translation>此回答已完整。</translation>
    </message>
    <message>
        <source>Regenerate it for another version.</source>
        <translation>请重新生成以获得另一个版本。</translation>
    </message>
    <message>
        <source>The system prompt has {text} characters; the most is {longest_text}.</source>
        <translation>系统提示词有 {text} 个字符；最多 {longest_text} 个。</translation>
    </message>
    <message>
        <source>Shorten it.</source>
        <translation>请缩短它。</translation>
    </message>
    <message>
        <source>There is a temporary chat already.</source>
        <translation>已有一个临时聊天。</translation>
    </message>
    <message>
        <source>Keep it or close it first.</source>
        <translation>请先保留或关闭它。</translation>
    </message>
    <message>
        <source>There is no temporary chat.</source>
        <translation>没有临时聊天。</translation>
    </message>
    <message>
        <source>This chat was just kept.</source>
        <translation>此聊天刚刚已保留。</translation>
    </message>
    <message>
        <source>What you wrote is still there.</source>
        <translation>所写内容仍在。</translation>
    </message>
    <message>
        <source>An answer is still being written, so this chat was not kept yet.</source>
        <translation>回答仍在编写中，因此此聊天尚未保留。</translation>
    </message>
    <message>
        <source>Wait for its end, or stop it, and keep the chat then.</source>
        <translation>请等它结束或停止它，然后保留聊天。</translation>
    </message>
    <message>
        <source>The tool does not take these arguments.</source>
        <translation>该工具不接受这些参数。</translation>
    </message>
    <message>
        <source>Nothing was run.</source>
        <translation>未运行任何内容。</translation>
    </message>
    <message>
        <source>Change them, or deny the call.</source>
        <translation>请更改它们，或拒绝此调用。</translation>
    </message>
    <message>
        <source>This call is no longer waiting for an answer.</source>
        <translation>此调用不再等待答复。</translation>
    </message>
    <message>
        <source>The server is no longer waiting for this.</source>
        <translation>服务器不再等待此项。</translation>
    </message>
    <message>
        <source>This answer is not offered for this call.</source>
        <translation>此调用不提供此答复。</translation>
    </message>
    <message>
        <source>“{name}” is missing.</source>
        <translation>缺少“{name}”。</translation>
    </message>
    <message>
        <source>There is no “{name}”.</source>
        <translation>没有“{name}”。</translation>
    </message>
    <message>
        <source>“{name}” is not of the type {map}.</source>
        <translation>“{name}”不是 {map} 类型。</translation>
    </message>
    <message>
        <source>The person did not allow this call. Do not try it again in another way; go on without it, or ask them.</source>
        <translation>用户未允许此调用。不要换一种方式再次尝试；请不用它继续，或询问用户。</translation>
    </message>
    <message>
        <source>There is no tool with this name.</source>
        <translation>没有此名称的工具。</translation>
    </message>
    <message>
        <source>The arguments are not valid JSON, so the tool was not run. Write them again.</source>
        <translation>参数不是有效的 JSON，因此未运行工具。请重新编写。</translation>
    </message>
    <message>
        <source>No arguments came with this call, so the tool was not run. Write them again.</source>
        <translation>此调用没有附带参数，因此未运行工具。请重新写出。</translation>
    </message>
    <message>
        <source>The answer was cut off while this call was written, so the tool was not run.</source>
        <translation>编写此调用时回答被截断，因此未运行工具。</translation>
    </message>
    <message>
        <source>The limit of this answer was reached, so the tool was not run.</source>
        <translation>已达到此回答的限额，因此未运行工具。</translation>
    </message>
    <message>
        <source>Too many tools were called at once, so this one was not run. Call fewer.</source>
        <translation>一次调用的工具太多，因此未运行此工具。请减少调用。</translation>
    </message>
    <message>
        <source>“{tool}” is left out of this answer: {provider} refuses its description.</source>
        <translation>“{tool}”未用于此回答：{provider} 拒绝其描述。</translation>
    </message>
    <message>
        <source>No further tools can be called for this answer. Answer with what you have.</source>
        <translation>此回答不能再调用工具。请用已有内容回答。</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its arguments are described in a form that no request can have.</source>
        <translation>“{tool}”已略去：其参数的描述形式无法用于任何请求。</translation>
    </message>
    <message>
        <source>Something unexpected happened in ChatDesk while this tool ran. Nobody knows what it did.</source>
        <translation>此工具运行时 ChatDesk 中发生了意外情况。无从得知它做了什么。</translation>
    </message>
    <message>
        <source>ChatDesk ended while this ran, so nobody knows what it did. The person does not want it to be run again.</source>
        <translation>运行期间 ChatDesk 结束了，因此无从得知它做了什么。用户不希望再次运行它。</translation>
    </message>
    <message>
        <source>ChatDesk ended while this ran. It may have done its work already.</source>
        <translation>运行期间 ChatDesk 结束了。它可能已完成工作。</translation>
    </message>
    <message>
        <source>This thread has text from outside, such as a tool&apos;s result, a file, an import or a teammate&apos;s words, which may have asked for this.</source>
        <translation>此对话含有来自外部的文字，例如工具结果、文件、导入内容或队友的话，可能是它们要求这样做的。</translation>
    </message>
    <message numerus="yes">
        <source>{count} tools can be called: about {tokens} tokens with each request.</source>
        <comment>{count} tool can be called: about {tokens} tokens with each request.</comment>
        <translation>
            <numerusform>可调用 {count} 个工具：每个请求约 {tokens} 个 token。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{words} {count} tool servers not started yet.</source>
        <comment>{words} {count} tool server not started yet.</comment>
        <translation>
            <numerusform>{words} {count} 个工具服务器尚未启动。</numerusform>
        </translation>
    </message>
    <message>
        <source>pin into the context</source>
        <translation>固定到上下文</translation>
    </message>
    <message>
        <source>exclude from the context</source>
        <translation>从上下文排除</translation>
    </message>
    <message>
        <source>unpin from the context</source>
        <translation>从上下文取消固定</translation>
    </message>
    <message>
        <source>include in the context</source>
        <translation>包含到上下文</translation>
    </message>
    <message>
        <source>pin the passage</source>
        <translation>固定片段</translation>
    </message>
    <message>
        <source>leave out the passage</source>
        <translation>排除片段</translation>
    </message>
    <message>
        <source>unpin the passage</source>
        <translation>取消固定片段</translation>
    </message>
    <message>
        <source>no longer leave out the passage</source>
        <translation>不再排除片段</translation>
    </message>
    <message>
        <source>rename thread</source>
        <translation>重命名对话</translation>
    </message>
    <message numerus="yes">
        <source>delete messages</source>
        <comment>delete message</comment>
        <translation>
            <numerusform>删除消息</numerusform>
        </translation>
    </message>
    <message>
        <source>restore message</source>
        <translation>恢复消息</translation>
    </message>
    <message>
        <source>switch version</source>
        <translation>切换版本</translation>
    </message>
    <message>
        <source>edit</source>
        <translation>编辑</translation>
    </message>
    <message>
        <source>start of the context</source>
        <translation>上下文起点</translation>
    </message>
    <message>
        <source>add note</source>
        <translation>添加备注</translation>
    </message>
    <message>
        <source>ask a question</source>
        <translation>提出问题</translation>
    </message>
    <message>
        <source>ask for an answer</source>
        <translation>请求回答</translation>
    </message>
    <message>
        <source>The message has about {scaled} tokens; the model reads {window} at once and {reserved} of them are kept for the answer.</source>
        <translation>消息约有 {scaled} 个 token；模型一次读取 {window} 个，其中 {reserved} 个留给回答。</translation>
    </message>
    <message>
        <source>The system prompt has about {scaled} tokens and leaves no room for the message: the model reads {window} at once and {reserved} of them are kept for the answer.</source>
        <translation>系统提示词约有 {scaled} 个 token，没有给消息留出空间：模型一次读取 {window} 个，其中 {reserved} 个留给回答。</translation>
    </message>
    <message>
        <source>ChatDesk made a mistake while it summarised.</source>
        <translation>ChatDesk 在生成摘要时出错。</translation>
    </message>
    <message>
        <source>The report could not be written to {target}: {reason}.</source>
        <translation>无法将报告写入 {target}：{reason}。</translation>
    </message>
    <message>
        <source>Nothing half-written was left.</source>
        <translation>没有留下未写完的内容。</translation>
    </message>
    <message>
        <source>ChatDesk ended unexpectedly.</source>
        <translation>ChatDesk 意外结束。</translation>
    </message>
    <message>
        <source>note</source>
        <comment>finding</comment>
        <translation>提示</translation>
    </message>
    <message>
        <source>problem</source>
        <translation>问题</translation>
    </message>
    <message>
        <source>No answer within {timeout_s} s.</source>
        <translation>{timeout_s} 秒内没有回答。</translation>
    </message>
    <message>
        <source>The check itself failed ({name}).</source>
        <translation>检查本身失败（{name}）。</translation>
    </message>
    <message>
        <source>versions</source>
        <translation>版本</translation>
    </message>
    <message>
        <source>ChatDesk {version}, Python {python}</source>
        <translation>ChatDesk {version}，Python {python}</translation>
    </message>
    <message>
        <source>data directory</source>
        <translation>数据目录</translation>
    </message>
    <message>
        <source>settings directory</source>
        <translation>设置目录</translation>
    </message>
    <message>
        <source>logs directory</source>
        <translation>日志目录</translation>
    </message>
    <message>
        <source>backups directory</source>
        <translation>备份目录</translation>
    </message>
    <message>
        <source>{path} is not a directory.</source>
        <translation>{path} 不是目录。</translation>
    </message>
    <message>
        <source>{path} (made when it is needed)</source>
        <translation>{path}（需要时创建）</translation>
    </message>
    <message>
        <source>{path} cannot be written to. Check its owner and permissions.</source>
        <translation>无法写入 {path}。请检查其所有者和权限。</translation>
    </message>
    <message>
        <source>Others can look into {path}. Run: chmod 700 {path}</source>
        <translation>其他人可以查看 {path}。请运行：chmod 700 {path}</translation>
    </message>
    <message>
        <source>Only {free_bytes} MB are free. Free some space soon.</source>
        <translation>仅剩 {free_bytes} MB 可用。请尽快释放一些空间。</translation>
    </message>
    <message>
        <source>{free_bytes} MB free</source>
        <translation>{free_bytes} MB 可用</translation>
    </message>
    <message>
        <source>disk</source>
        <translation>磁盘</translation>
    </message>
    <message>
        <source>PySide6 is not installed, so there can be no window.</source>
        <translation>未安装 PySide6，因此无法显示窗口。</translation>
    </message>
    <message>
        <source>display</source>
        <translation>显示</translation>
    </message>
    <message>
        <source>the system&apos;s</source>
        <translation>系统的</translation>
    </message>
    <message>
        <source>No display here: the window runs unseen, the command line works.</source>
        <translation>这里没有显示器：窗口在后台运行而不可见，命令行可用。</translation>
    </message>
    <message numerus="yes">
        <source>Written since, and not in it: {count} messages, in {names}. Export them first to keep them at hand.</source>
        <comment>Written since, and not in it: {count} message, in {names}. Export them first to keep them at hand.</comment>
        <translation>
            <numerusform>此后写入而不在其中：{names} 中的 {count} 条消息。请先导出以便保留。</numerusform>
        </translation>
    </message>
    <message>
        <source>From an older ChatDesk (schema {schema}); it is upgraded at the next start.</source>
        <translation>来自较旧的 ChatDesk（架构 {schema}）；下次启动时升级。</translation>
    </message>
    <message numerus="yes">
        <source>{count} attached files are neither in it nor in the data directory.</source>
        <comment>{count} attached file is neither in it nor in the data directory.</comment>
        <translation>
            <numerusform>{count} 个附加文件既不在其中，也不在数据目录中。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} answers had not ended: they stay as interrupted, and nothing is sent.</source>
        <comment>{count} answer had not ended: they stay as interrupted, and nothing is sent.</comment>
        <translation>
            <numerusform>{count} 个回答尚未结束：它们保留为已中断，不会发送任何内容。</numerusform>
        </translation>
    </message>
    <message>
        <source>others</source>
        <translation>其他</translation>
    </message>
    <message>
        <source>Teams: {names}. ChatDesk does not connect to them until you join them again.</source>
        <translation>团队：{names}。在重新加入之前，ChatDesk 不会连接到它们。</translation>
    </message>
    <message>
        <source>Afterwards search fills up again in the background.</source>
        <translation>之后搜索会在后台重新建立。</translation>
    </message>
    <message>
        <source>Exported {threads} to {name}.</source>
        <translation>已将 {threads}导出到 {name}。</translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments are missing or damaged; the export has only their names: {lost}</source>
        <comment>{count} attachment is missing or damaged; the export has only its name: {lost}</comment>
        <translation>
            <numerusform>{count} 个附件缺失或损坏，因此只列出其名称：{lost}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments are missing or damaged; the export has only their names</source>
        <comment>{count} attachment is missing or damaged; the export has only its name</comment>
        <translation>
            <numerusform>{count} 个附件缺失或损坏，因此只列出其名称</numerusform>
        </translation>
    </message>
    <message>
        <source>new</source>
        <comment>thread</comment>
        <translation>新增</translation>
    </message>
    <message>
        <source>has new messages</source>
        <translation>有新消息</translation>
    </message>
    <message>
        <source>here already</source>
        <translation>已在此处</translation>
    </message>
    <message>
        <source>in the trash</source>
        <translation>在回收站中</translation>
    </message>
    <message>
        <source>deleted before</source>
        <translation>先前已删除</translation>
    </message>
    <message>
        <source>{server} without a proxy</source>
        <translation>{server}，不经代理</translation>
    </message>
    <message>
        <source>{server} through the proxy {proxy}</source>
        <translation>{server}，经代理 {proxy}</translation>
    </message>
    <message>
        <source>{server}, trusting a file of certificates ({ca}…)</source>
        <translation>{server}，信任证书文件（{ca}…）</translation>
    </message>
    <message>
        <source>Send the key of {short} to {server}?</source>
        <translation>将 {short} 的密钥发送到 {server} 吗？</translation>
    </message>
    <message>
        <source>The variable {variable} names the server of {label}, {server}. Only a key from a variable is sent there, never one that is kept.</source>
        <translation>变量 {variable} 指定了 {label} 的服务器 {server}。只有来自变量的密钥会发送到那里，绝不发送已保存的密钥。</translation>
    </message>
    <message>
        <source>The key of {label} would travel unencrypted to {words}: anybody on the way could read it.</source>
        <translation>{label} 的密钥会以未加密方式传送到 {words}：途中的任何人都能读取。</translation>
    </message>
    <message>
        <source>The key of {label} was kept by an earlier ChatDesk, which did not note the server that it is for. It would be sent to {words}.</source>
        <translation>{label} 的密钥由较早的 ChatDesk 保存，当时未记录它用于哪个服务器。它将发送到 {words}。</translation>
    </message>
    <message>
        <source>The key of {label} was given for {words}. It would be sent to {wanted}.</source>
        <translation>{label} 的密钥是为 {words} 提供的。它将发送到 {wanted}。</translation>
    </message>
    <message>
        <source>It would travel unencrypted.</source>
        <translation>它会以未加密方式传送。</translation>
    </message>
    <message>
        <source>Put the key for that server into OPENAI_API_KEY, or remove the variable.</source>
        <translation>请将该服务器的密钥放入 OPENAI_API_KEY，或移除该变量。</translation>
    </message>
    <message>
        <source>If that is what you want, agree in Settings, Providers, or with &apos;chatdesk providers --agree {provider}&apos;.</source>
        <translation>如果这正是你想要的，请在“设置”的“提供商”中同意，或使用 &apos;chatdesk providers --agree {provider}&apos;。</translation>
    </message>
    <message>
        <source>Agree, or enter the key again.</source>
        <translation>请同意，或重新输入密钥。</translation>
    </message>
    <message>
        <source>it must look like 20/min, with s, min, h or day after the stroke</source>
        <translation>必须形如 20/min，斜杠后为 s、min、h 或 day</translation>
    </message>
    <message>
        <source>“{unit}” is no period; use s, min, h or day</source>
        <translation>“{unit}”不是时段；请使用 s、min、h 或 day</translation>
    </message>
    <message>
        <source>the number of messages must be from 1 to {most_messages}</source>
        <translation>消息数必须在 1 到 {most_messages} 之间</translation>
    </message>
    <message>
        <source>the period must be from a second to 30 days</source>
        <translation>时段必须在一秒到 30 天之间</translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens</source>
        <comment>{count} token</comment>
        <translation>
            <numerusform>{count} 个 token</numerusform>
        </translation>
    </message>
    <message>
        <source>a day</source>
        <translation>每天</translation>
    </message>
    <message>
        <source>a month</source>
        <translation>每月</translation>
    </message>
    <message>
        <source>{period} for {label}</source>
        <translation>{label} {period}</translation>
    </message>
    <message>
        <source>Your messages are kept, and the newest ones are sent as they fit.</source>
        <translation>消息已保留，最新的消息在容量允许时发送。</translation>
    </message>
    <message>
        <source>Summaries and titles are made again tomorrow; the limit is in Settings, Context.</source>
        <translation>摘要和标题明天会再次生成；限额在“设置”的“上下文”中。</translation>
    </message>
    <message>
        <source>Today&apos;s limit of {limit} tokens for summaries and titles is reached ({spent} are used).</source>
        <translation>已达到今天摘要和标题的限额 {limit} 个 token（已用 {spent}）。</translation>
    </message>
    <message>
        <source>Titles and summaries stop at {limit} ({spent} are used).</source>
        <translation>标题和摘要在 {limit} 时停止（已用 {spent}）。</translation>
    </message>
    <message>
        <source>They are made again when the limit starts again; it is in Settings, Usage and limits.</source>
        <translation>限额重新开始时会再次生成；它在“设置”的“用量与限额”中。</translation>
    </message>
    <message>
        <source>Your question is kept.</source>
        <translation>问题已保留。</translation>
    </message>
    <message>
        <source>waiting for an answer</source>
        <translation>等待回答</translation>
    </message>
    <message>
        <source>This answer has not begun.</source>
        <translation>此回答尚未开始。</translation>
    </message>
    <message>
        <source>This answer is still being written.</source>
        <translation>此回答仍在撰写中。</translation>
    </message>
    <message>
        <source>This answer was stopped.</source>
        <translation>此回答已停止。</translation>
    </message>
    <message>
        <source>This answer was interrupted.</source>
        <translation>此回答已中断。</translation>
    </message>
    <message>
        <source>This answer failed.</source>
        <translation>此回答失败。</translation>
    </message>
    <message>
        <source>A part of this message is damaged. What can be read of it is shown; a backup may have it whole.</source>
        <translation>此消息的一部分已损坏。能读取的内容已显示；备份中可能有完整的消息。</translation>
    </message>
    <message>
        <source>being written</source>
        <translation>编写中</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>已停止</translation>
    </message>
    <message>
        <source>interrupted</source>
        <translation>已中断</translation>
    </message>
    <message>
        <source>{name} must be a number.</source>
        <translation>{name}必须是数字。</translation>
    </message>
    <message>
        <source>{name} must be between 0 and {most}.</source>
        <translation>{name}必须在 0 到 {most} 之间。</translation>
    </message>
    <message>
        <source>The length of an answer must be between 1 and {largest_answer} tokens.</source>
        <translation>回答长度必须在 1 到 {largest_answer} 个 token 之间。</translation>
    </message>
    <message>
        <source>The reasoning effort must be one of {reasoning_efforts}.</source>
        <translation>推理强度必须是以下之一：{reasoning_efforts}。</translation>
    </message>
    <message>
        <source>There may be at most {most_stop_words} stop words.</source>
        <translation>最多可有 {most_stop_words} 个停止词。</translation>
    </message>
    <message>
        <source>A stop word has 1 to {longest_stop_word} characters.</source>
        <translation>停止词有 1 到 {longest_stop_word} 个字符。</translation>
    </message>
    <message>
        <source>The temperature</source>
        <translation>温度</translation>
    </message>
    <message>
        <source>Top-p</source>
        <translation>Top-p</translation>
    </message>
    <message>
        <source>An assistant has at most {most_in_message} files.</source>
        <translation>一个助手最多有 {most_in_message} 个文件。</translation>
    </message>
    <message>
        <source>Leave some of them out.</source>
        <translation>请去掉其中一些。</translation>
    </message>
    <message>
        <source>The provider&apos;s id may have small letters, digits and hyphens only.</source>
        <translation>提供商的 ID 只能包含小写字母、数字和连字符。</translation>
    </message>
    <message>
        <source>Give the provider a name.</source>
        <translation>请为提供商命名。</translation>
    </message>
    <message>
        <source>The address must begin with https:// or http://, name a server and hold no password.</source>
        <translation>地址必须以 https:// 或 http:// 开头，指明服务器，且不含密码。</translation>
    </message>
    <message>
        <source>“{name}” is not the name of a header.</source>
        <translation>“{name}”不是标头名称。</translation>
    </message>
    <message>
        <source>The value of the header {name} contains characters that cannot be sent.</source>
        <translation>标头 {name} 的值包含无法发送的字符。</translation>
    </message>
    <message>
        <source>The proxy must be an address such as http://proxy.example:3128, without a password. One that wants a password is set with the variable HTTPS_PROXY.</source>
        <translation>代理必须是形如 http://proxy.example:3128 且不含密码的地址。需要密码的代理用变量 HTTPS_PROXY 设置。</translation>
    </message>
    <message>
        <source>The organisation and the project hold characters that cannot be sent.</source>
        <translation>组织和项目包含无法发送的字符。</translation>
    </message>
    <message>
        <source>Times must be between 1 and 3,600 seconds.</source>
        <translation>时间必须在 1 到 3,600 秒之间。</translation>
    </message>
    <message>
        <source>Nothing was sent; your text stays where it is.</source>
        <translation>未发送任何内容；文字留在原处。</translation>
    </message>
    <message>
        <source>{name} chose {label} for this thread. You asked {before} here until now; your question, and the thread with it, would go to {label}.</source>
        <translation>{name} 为此对话选择了 {label}。在此之前你问的是 {before}；你的问题以及对话将发送给 {label}。</translation>
    </message>
    <message>
        <source>{name} chose {label} for this thread. Your own choice is {before}; your question, and the thread with it, would go to {label}.</source>
        <translation>{name} 为此对话选择了 {label}。你自己选择的是 {before}；你的问题以及对话将发送给 {label}。</translation>
    </message>
    <message>
        <source>Choose a model yourself, or name the provider: --provider {name}.</source>
        <translation>请自己选择模型，或指明提供商：--provider {name}。</translation>
    </message>
    <message>
        <source>Ask {label}?</source>
        <translation>询问 {label} 吗？</translation>
    </message>
    <message>
        <source>Since {since}, changes of “{project}” are missing on the team&apos;s server.</source>
        <translation>自 {since} 起，团队服务器上缺少“{project}”的更改。</translation>
    </message>
    <message>
        <source>Since {since}, the team&apos;s server has other changes of “{project}” than it took.</source>
        <translation>自 {since} 起，团队服务器上“{project}”的更改与它所接受的不同。</translation>
    </message>
    <message>
        <source>Since {since}, changes of “{project}” are emptied on the team&apos;s server, and nobody asked for that.</source>
        <translation>自 {since} 起，团队服务器上“{project}”的更改被清空，而没有人要求这样做。</translation>
    </message>
    <message>
        <source>Since {since}, the team&apos;s server does not send all changes of “{project}” that it has.</source>
        <translation>自 {since} 起，团队服务器没有发送它拥有的“{project}”的全部更改。</translation>
    </message>
    <message>
        <source>It is no longer shared.</source>
        <translation>该项目不再共享。</translation>
    </message>
    <message>
        <source>You left it.</source>
        <translation>你已离开该项目。</translation>
    </message>
    <message>
        <source>You were removed from it.</source>
        <translation>你已被移出该项目。</translation>
    </message>
    <message>
        <source>It was deleted from the team by its owner.</source>
        <translation>该项目已被所有者从团队中删除。</translation>
    </message>
    <message>
        <source>It was erased for everybody by its owner.</source>
        <translation>该项目已被所有者为所有人抹除。</translation>
    </message>
    <message>
        <source>“{name}” is no longer shared.</source>
        <translation>“{name}”不再共享。</translation>
    </message>
    <message>
        <source>You left “{name}”.</source>
        <translation>你已离开“{name}”。</translation>
    </message>
    <message>
        <source>You were removed from “{name}”.</source>
        <translation>你已被移出“{name}”。</translation>
    </message>
    <message>
        <source>“{name}” was deleted from the team by its owner.</source>
        <translation>“{name}”已被所有者从团队中删除。</translation>
    </message>
    <message>
        <source>“{name}” was erased for everybody by its owner.</source>
        <translation>“{name}”已被所有者为所有人抹除。</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait here to be sent.</source>
        <comment>{count} change waits here to be sent.</comment>
        <translation>
            <numerusform>{count} 项更改在此等待发送。</numerusform>
        </translation>
    </message>
    <message>
        <source>Waiting for approval</source>
        <translation>等待批准</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>运行中</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>完成</translation>
    </message>
    <message>
        <source>Denied</source>
        <translation>已拒绝</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>Unknown: ChatDesk ended while it ran</source>
        <translation>未知：运行期间 ChatDesk 结束了</translation>
    </message>
    <message>
        <source>It asks you to sign in: choose Sign in in Settings, Tools.</source>
        <translation>它要求登录：请在“设置”的“工具”中选择“登录”。</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its description is not what the protocol allows.</source>
        <translation>“{tool}”已略去：其描述不符合协议。</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its name or its description is too long.</source>
        <translation>“{tool}”已略去：其名称或描述过长。</translation>
    </message>
    <message>
        <source>“{tool}” is listed twice; the second one is left out.</source>
        <translation>“{tool}”被列出两次；第二个已略去。</translation>
    </message>
    <message>
        <source>Not all of its tools are offered: it lists too many.</source>
        <translation>并未提供它的全部工具：它列出的工具太多。</translation>
    </message>
    <message>
        <source>Its list may be incomplete: it names the same page again and again.</source>
        <translation>其列表可能不完整：它反复给出同一页。</translation>
    </message>
    <message>
        <source>The tool failed.</source>
        <translation>工具失败。</translation>
    </message>
    <message>
        <source>Your messages are kept.</source>
        <translation>消息已保留。</translation>
    </message>
    <message>
        <source>Try again, or test the server in Settings, Tools.</source>
        <translation>请重试，或在“设置”的“工具”中测试该服务器。</translation>
    </message>
    <message>
        <source>Type a number of tokens, such as 32000 or 128k.</source>
        <translation>请输入 token 数，例如 32000 或 128k。</translation>
    </message>
    <message>
        <source>The context is between {smallest_window} and {largest_window} tokens.</source>
        <translation>上下文在 {smallest_window} 到 {largest_window} 个 token 之间。</translation>
    </message>
    <message>
        <source>Type dollars for a million tokens, such as 0.25.</source>
        <translation>请输入每百万 token 的美元数，例如 0.25。</translation>
    </message>
    <message>
        <source>Something went wrong.</source>
        <translation>出了点问题。</translation>
    </message>
    <message>
        <source>Try again.</source>
        <translation>请重试。</translation>
    </message>
    <message>
        <source>That is not a valid id.</source>
        <translation>这不是有效的 ID。</translation>
    </message>
    <message>
        <source>Check the id; it looks like 0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e.</source>
        <translation>请检查 ID；它形如 0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e。</translation>
    </message>
    <message>
        <source>The message is empty.</source>
        <translation>消息为空。</translation>
    </message>
    <message>
        <source>Type something first.</source>
        <translation>请先输入内容。</translation>
    </message>
    <message>
        <source>The message is larger than the limit.</source>
        <translation>消息超过上限。</translation>
    </message>
    <message>
        <source>Your text is kept in the composer.</source>
        <translation>文字保留在输入框中。</translation>
    </message>
    <message>
        <source>Shorten it, or attach it as a file.</source>
        <translation>请缩短它，或作为文件附加。</translation>
    </message>
    <message>
        <source>The file is larger than the limit.</source>
        <translation>文件超过上限。</translation>
    </message>
    <message>
        <source>Attach a smaller file or a part of it, or raise the limit in the settings.</source>
        <translation>请附加较小的文件或其中一部分，或在设置中提高上限。</translation>
    </message>
    <message>
        <source>“{name}” is larger than {limit}.</source>
        <translation>“{name}”大于 {limit}。</translation>
    </message>
    <message>
        <source>The file is larger than {limit}.</source>
        <translation>文件大于 {limit}。</translation>
    </message>
    <message>
        <source>The file cannot be attached.</source>
        <translation>无法附加该文件。</translation>
    </message>
    <message>
        <source>Choose another file.</source>
        <translation>请选择其他文件。</translation>
    </message>
    <message>
        <source>This file cannot be imported.</source>
        <translation>无法导入此文件。</translation>
    </message>
    <message>
        <source>A thread needs a title.</source>
        <translation>对话需要标题。</translation>
    </message>
    <message>
        <source>The old title is kept.</source>
        <translation>旧标题已保留。</translation>
    </message>
    <message>
        <source>Type at least one character.</source>
        <translation>请至少输入一个字符。</translation>
    </message>
    <message>
        <source>It may have been deleted for good; look in the list.</source>
        <translation>它可能已被永久删除；请查看列表。</translation>
    </message>
    <message>
        <source>There is no thread with that id.</source>
        <translation>没有此 ID 的对话。</translation>
    </message>
    <message>
        <source>There is no message with that id.</source>
        <translation>没有此 ID 的消息。</translation>
    </message>
    <message>
        <source>The message to answer to does not exist in this thread.</source>
        <translation>要回答的消息不在此对话中。</translation>
    </message>
    <message>
        <source>There is no project with that id.</source>
        <translation>没有此 ID 的项目。</translation>
    </message>
    <message>
        <source>There is no summary with that id.</source>
        <translation>没有此 ID 的摘要。</translation>
    </message>
    <message>
        <source>There is no prompt with that id.</source>
        <translation>没有此 ID 的提示词。</translation>
    </message>
    <message>
        <source>The message is larger than what the model can read at once.</source>
        <translation>消息超过模型一次能读取的长度。</translation>
    </message>
    <message>
        <source>Shorten it, attach it as a file, or choose a model with a larger window.</source>
        <translation>请缩短它，作为文件附加，或选择窗口更大的模型。</translation>
    </message>
    <message>
        <source>The system prompt leaves no room for the message.</source>
        <translation>系统提示词没有给消息留出空间。</translation>
    </message>
    <message>
        <source>Shorten the system prompt, or choose a model with a larger window.</source>
        <translation>请缩短系统提示词，或选择窗口更大的模型。</translation>
    </message>
    <message>
        <source>The question is excluded from the context, so there is nothing to answer.</source>
        <translation>该问题已从上下文排除，因此没有可回答的内容。</translation>
    </message>
    <message>
        <source>Take it back into the context, or ask again.</source>
        <translation>请将其放回上下文，或重新提问。</translation>
    </message>
    <message>
        <source>Some messages of this summary are gone or no longer shown.</source>
        <translation>此摘要的一些消息已不存在或不再显示。</translation>
    </message>
    <message>
        <source>Nothing was changed; as many of the remaining messages as fit are sent.</source>
        <translation>未做任何更改；剩余的消息会发送能容纳的部分。</translation>
    </message>
    <message>
        <source>Create the summary again.</source>
        <translation>请重新创建摘要。</translation>
    </message>
    <message>
        <source>The model gave no summary that can be used.</source>
        <translation>模型没有给出可用的摘要。</translation>
    </message>
    <message>
        <source>Nothing was changed; as many of the newest messages as fit are sent.</source>
        <translation>未做任何更改；从最新的消息起，发送能容纳的部分。</translation>
    </message>
    <message>
        <source>ChatDesk tries again later.</source>
        <translation>ChatDesk 稍后会重试。</translation>
    </message>
    <message>
        <source>Summarising this thread would cost more than the limit.</source>
        <translation>为此对话生成摘要的费用会超过限额。</translation>
    </message>
    <message>
        <source>No summary was asked for; as many of the newest messages as fit are sent instead.</source>
        <translation>没有请求摘要；改为从最新的消息起，发送能容纳的部分。</translation>
    </message>
    <message>
        <source>Allow it, or leave the thread as it is; the limit is in Settings, Usage and limits.</source>
        <translation>请允许，或让对话保持原样；限额在“设置”的“用量与限额”中。</translation>
    </message>
    <message>
        <source>This thread is in the trash.</source>
        <translation>此对话在回收站中。</translation>
    </message>
    <message>
        <source>Restore it first.</source>
        <translation>请先恢复它。</translation>
    </message>
    <message>
        <source>This message is in the trash.</source>
        <translation>此消息在回收站中。</translation>
    </message>
    <message>
        <source>An answer is still being written in this thread.</source>
        <translation>此对话中仍有回答正在编写。</translation>
    </message>
    <message>
        <source>Wait for it or stop it first.</source>
        <translation>请等它结束或先停止它。</translation>
    </message>
    <message>
        <source>The database could not be used.</source>
        <translation>无法使用数据库。</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor&apos; for details.</source>
        <translation>运行 &apos;chatdesk doctor&apos; 查看详情。</translation>
    </message>
    <message>
        <source>The disk is full, so this could not be saved.</source>
        <translation>磁盘已满，因此无法保存。</translation>
    </message>
    <message>
        <source>Everything saved before is unchanged, and your text is still in the window.</source>
        <translation>先前保存的内容均未变，文字仍在窗口中。</translation>
    </message>
    <message>
        <source>Everything saved before is unchanged.</source>
        <translation>先前保存的内容均未变。</translation>
    </message>
    <message>
        <source>Free some space and try again.</source>
        <translation>请释放一些空间并重试。</translation>
    </message>
    <message>
        <source>The answer could not be saved.</source>
        <translation>无法保存回答。</translation>
    </message>
    <message>
        <source>What was saved before is unchanged; of the answer only the beginning may be kept.</source>
        <translation>先前保存的内容未变；回答可能只保留了开头。</translation>
    </message>
    <message>
        <source>Free disk space or correct the permissions so that ChatDesk can save, then ask again.</source>
        <translation>请释放空间或更正权限，使 ChatDesk 能够保存，然后重新提问。</translation>
    </message>
    <message>
        <source>Another program is using the database.</source>
        <translation>另一个程序正在使用数据库。</translation>
    </message>
    <message>
        <source>Close the other program or try again in a moment.</source>
        <translation>请关闭另一个程序，或稍后重试。</translation>
    </message>
    <message>
        <source>The database cannot be written to.</source>
        <translation>无法写入数据库。</translation>
    </message>
    <message>
        <source>You can still read everything.</source>
        <translation>仍可读取所有内容。</translation>
    </message>
    <message>
        <source>Check the permissions of the data directory.</source>
        <translation>请检查数据目录的权限。</translation>
    </message>
    <message>
        <source>The database file is damaged.</source>
        <translation>数据库文件已损坏。</translation>
    </message>
    <message>
        <source>The file was left as it is; backups are in the backup directory.</source>
        <translation>文件保持原样；备份在备份目录中。</translation>
    </message>
    <message>
        <source>Restore the newest backup, or copy out what can be read: &apos;chatdesk doctor --repair&apos;.</source>
        <translation>请恢复最新的备份，或复制出可读取的内容：&apos;chatdesk doctor --repair&apos;。</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor --repair&apos;; if that does not help, send the report of &apos;chatdesk doctor&apos;.</source>
        <translation>请运行 &apos;chatdesk doctor --repair&apos;；如果无效，请发送 &apos;chatdesk doctor&apos; 的报告。</translation>
    </message>
    <message>
        <source>A database was here before, and now it is missing or empty.</source>
        <translation>此前这里有数据库，现在缺失或为空。</translation>
    </message>
    <message>
        <source>Choose the export as its program wrote it.</source>
        <translation>请选择程序原样导出的文件。</translation>
    </message>
    <message>
        <source>Nothing was created in its place.</source>
        <translation>没有创建替代的数据库。</translation>
    </message>
    <message>
        <source>Restore the file or a backup; run &apos;chatdesk doctor&apos; for the paths.</source>
        <translation>请恢复该文件或备份；运行 &apos;chatdesk doctor&apos; 查看路径。</translation>
    </message>
    <message>
        <source>The database file was moved or replaced while ChatDesk was running.</source>
        <translation>ChatDesk 运行期间数据库文件被移动或替换。</translation>
    </message>
    <message>
        <source>Writing has stopped so that nothing goes into the wrong file.</source>
        <translation>已停止写入，以免写入错误的文件。</translation>
    </message>
    <message>
        <source>Close ChatDesk, put the file back, and start again.</source>
        <translation>请关闭 ChatDesk，将文件放回，然后重新启动。</translation>
    </message>
    <message>
        <source>The database is out of reach: its drive, folder or file is not there.</source>
        <translation>无法访问数据库：其驱动器、文件夹或文件不存在。</translation>
    </message>
    <message>
        <source>Nothing was written anywhere else, and your text is still in the window.</source>
        <translation>没有写入其他任何地方，文字仍在窗口中。</translation>
    </message>
    <message>
        <source>Nothing was written anywhere else.</source>
        <translation>没有写入其他任何地方。</translation>
    </message>
    <message>
        <source>Connect the drive or put the file back; ChatDesk then continues by itself.</source>
        <translation>请连接驱动器或将文件放回原处；随后 ChatDesk 会自动继续。</translation>
    </message>
    <message>
        <source>This database was written by a newer ChatDesk.</source>
        <translation>此数据库由较新的 ChatDesk 写入。</translation>
    </message>
    <message>
        <source>It was not touched.</source>
        <translation>未触碰它。</translation>
    </message>
    <message>
        <source>Update ChatDesk to open it.</source>
        <translation>请更新 ChatDesk 以打开它。</translation>
    </message>
    <message>
        <source>The database could not be upgraded.</source>
        <translation>无法升级数据库。</translation>
    </message>
    <message>
        <source>It was left as it was and can be read; a verified backup is in the backup directory.</source>
        <translation>它保持原样并可读取；备份目录中有经过校验的备份。</translation>
    </message>
    <message>
        <source>ChatDesk is already running on this data directory.</source>
        <translation>ChatDesk 已在此数据目录上运行。</translation>
    </message>
    <message>
        <source>Use the open window, or choose another --data-dir.</source>
        <translation>请使用已打开的窗口，或选择另一个 --data-dir。</translation>
    </message>
    <message>
        <source>The output could not be written.</source>
        <translation>无法写入输出。</translation>
    </message>
    <message>
        <source>Free some space, or send it elsewhere.</source>
        <translation>请释放一些空间，或输出到别处。</translation>
    </message>
    <message>
        <source>The export could not be written.</source>
        <translation>无法写入导出文件。</translation>
    </message>
    <message>
        <source>Your messages are unchanged, and nothing half-written was left.</source>
        <translation>消息未变，也没有留下未写完的内容。</translation>
    </message>
    <message>
        <source>You may read this shared project, but not write in it.</source>
        <translation>你可以读取此共享项目，但不能在其中写入。</translation>
    </message>
    <message>
        <source>Ask an owner or administrator of the project to let you edit.</source>
        <translation>请让项目的所有者或管理员允许你编辑。</translation>
    </message>
    <message>
        <source>Another member wrote this, and your role lets you change and delete only what is yours.</source>
        <translation>这是其他成员写的，你的角色只允许更改和删除自己的内容。</translation>
    </message>
    <message>
        <source>Ask the person who made it, or an owner or administrator of the project.</source>
        <translation>请询问创建者，或项目的所有者或管理员。</translation>
    </message>
    <message>
        <source>The team&apos;s database did not do what was asked.</source>
        <translation>团队的数据库没有执行请求的操作。</translation>
    </message>
    <message>
        <source>Everything you wrote is kept on this computer.</source>
        <translation>所写的一切都保存在此计算机上。</translation>
    </message>
    <message>
        <source>Open Details in the status line to see what it said.</source>
        <translation>请打开状态栏中的“详情”查看它的回复。</translation>
    </message>
    <message>
        <source>The team&apos;s database was restored from a backup.</source>
        <translation>团队的数据库已从备份恢复。</translation>
    </message>
    <message>
        <source>ChatDesk compares everything again and sends what that backup lacks.</source>
        <translation>ChatDesk 会重新比较所有内容，并发送该备份中缺少的内容。</translation>
    </message>
    <message>
        <source>Your message is kept.</source>
        <translation>消息已保留。</translation>
    </message>
    <message>
        <source>{who} sent something of another kind.</source>
        <translation>{who} 发送了其他类型的内容。</translation>
    </message>
    <message>
        <source>It could not be loaded.</source>
        <translation>无法加载。</translation>
    </message>
    <message>
        <source>{host} did not answer in time.</source>
        <translation>{host} 未及时响应。</translation>
    </message>
    <message>
        <source>{host} did not give an answer that can be used.</source>
        <translation>{host} 没有给出可用的应答。</translation>
    </message>
    <message>
        <source>The address leads to another server: {host}.</source>
        <translation>该地址指向另一台服务器：{host}。</translation>
    </message>
    <message>
        <source>{host} redirects in a circle.</source>
        <translation>{host} 循环重定向。</translation>
    </message>
    <message>
        <source>{host} redirects to another address.</source>
        <translation>{host} 重定向到另一个地址。</translation>
    </message>
    <message>
        <source>{host} is this computer or an address for machines only; nothing is loaded from there.</source>
        <translation>{host} 是此计算机或仅供机器使用的地址；不会从那里加载任何内容。</translation>
    </message>
    <message>
        <source>{host} is in a private network.</source>
        <translation>{host} 位于私有网络中。</translation>
    </message>
    <message>
        <source>Nothing can be loaded from this address.</source>
        <translation>无法从此地址加载任何内容。</translation>
    </message>
    <message>
        <source>{hostname} answered with the error {status}.</source>
        <translation>{hostname} 返回错误 {status}。</translation>
    </message>
    <message>
        <source>The data came compressed in a way that ChatDesk did not ask for.</source>
        <translation>数据以 ChatDesk 未リクエスト的方式压缩。</translation>
    </message>
    <message>
        <source>The data did not arrive completely.</source>
        <translation>数据未完整送达。</translation>
    </message>
    <message>
        <source>The data is larger than {max_bytes} MB.</source>
        <translation>数据大于 {max_bytes} MB。</translation>
    </message>
    <message>
        <source>“{name}” beside it is a link or a file, not a folder</source>
        <translation>旁边的“{name}”是链接或文件，不是文件夹</translation>
    </message>
    <message>
        <source>The disk of {target} is full.</source>
        <translation>{target} 所在磁盘已满。</translation>
    </message>
    <message>
        <source>Free some space, or choose another place.</source>
        <translation>请释放一些空间，或选择另一个位置。</translation>
    </message>
    <message>
        <source>{target} may not be written by this user.</source>
        <translation>此用户无权写入 {target}。</translation>
    </message>
    <message>
        <source>{target} is a folder.</source>
        <translation>{target} 是文件夹。</translation>
    </message>
    <message>
        <source>Name a file in it.</source>
        <translation>请指定其中的文件。</translation>
    </message>
    <message>
        <source>The folder of {target} is not there.</source>
        <translation>{target} 所在的文件夹不存在。</translation>
    </message>
    <message>
        <source>Put the drive back, or choose another place.</source>
        <translation>请将驱动器放回，或选择另一个位置。</translation>
    </message>
    <message>
        <source>No file can be made in {parent}.</source>
        <translation>无法在 {parent} 中创建文件。</translation>
    </message>
    <message>
        <source>The name {name}… is too long for that place.</source>
        <translation>名称 {name}… 对该位置来说太长。</translation>
    </message>
    <message>
        <source>{target} could not be written: {strerror}.</source>
        <translation>无法写入 {target}：{strerror}。</translation>
    </message>
    <message>
        <source>“chatdesk {purpose}” (process {pid}) is using this data directory.</source>
        <translation>“chatdesk {purpose}”（进程 {pid}）正在此数据目录中工作。</translation>
    </message>
    <message>
        <source>Wait until it has ended, then try again; or choose another --data-dir.</source>
        <translation>请等它结束后重试；或选择另一个 --data-dir。</translation>
    </message>
    <message>
        <source>Another process answers in the place of the ChatDesk that has this data directory open.</source>
        <translation>另一个进程在代替打开此数据目录的 ChatDesk 应答。</translation>
    </message>
    <message>
        <source>Nothing was sent to it.</source>
        <translation>未向它发送任何内容。</translation>
    </message>
    <message>
        <source>Close ChatDesk and start it again; &apos;chatdesk doctor&apos; shows who owns the directory.</source>
        <translation>请关闭 ChatDesk 并重新启动；&apos;chatdesk doctor&apos; 会显示目录的所有者。</translation>
    </message>
    <message>
        <source>The ChatDesk that was answering has ended.</source>
        <translation>正在回答的 ChatDesk 已结束。</translation>
    </message>
    <message>
        <source>What had arrived of the answer is kept.</source>
        <translation>回答中已到达的部分已保留。</translation>
    </message>
    <message>
        <source>Ask again.</source>
        <translation>请重新提问。</translation>
    </message>
    <message>
        <source>The disk is full, so ChatDesk can only read.</source>
        <translation>磁盘已满，因此 ChatDesk 只能读取。</translation>
    </message>
    <message>
        <source>The data directory cannot be written to.</source>
        <translation>无法写入数据目录。</translation>
    </message>
    <message>
        <source>The file system of the data directory cannot lock files, so ChatDesk only reads from it.</source>
        <translation>数据目录的文件系统无法锁定文件，因此 ChatDesk 只从中读取。</translation>
    </message>
    <message>
        <source>Choose a data directory on a local disk.</source>
        <translation>请选择本地磁盘上的数据目录。</translation>
    </message>
    <message>
        <source>This ChatDesk does not do that.</source>
        <translation>此 ChatDesk 不支持该操作。</translation>
    </message>
    <message>
        <source>Too many commands ask this ChatDesk at once. Try again later.</source>
        <translation>同时有太多命令在请求此 ChatDesk。请稍后重试。</translation>
    </message>
    <message>
        <source>Something unexpected happened. The log says more.</source>
        <translation>发生了意外情况。日志中有更多信息。</translation>
    </message>
    <message>
        <source>There is no home directory: HOME is not set, and the system knows none for this user.</source>
        <translation>没有主目录：未设置 HOME，系统也不知道此用户的主目录。</translation>
    </message>
    <message>
        <source>Set HOME, or choose an absolute directory with --data-dir.</source>
        <translation>请设置 HOME，或用 --data-dir 选择一个绝对目录。</translation>
    </message>
    <message>
        <source>The current directory no longer exists.</source>
        <translation>当前目录已不存在。</translation>
    </message>
    <message>
        <source>Go to another one, or choose an absolute directory with --data-dir.</source>
        <translation>请转到另一个目录，或用 --data-dir 选择一个绝对目录。</translation>
    </message>
    <message>
        <source>The data directory cannot be used: the name {data_dir} is not UTF-8.</source>
        <translation>无法使用数据目录：名称 {data_dir} 不是 UTF-8。</translation>
    </message>
    <message>
        <source>Rename it, or choose another with --data-dir.</source>
        <translation>请重命名，或用 --data-dir 选择另一个。</translation>
    </message>
    <message>
        <source>The answer of {who} took longer than {duration} and was stopped.</source>
        <translation>{who} 的回答用时超过 {duration}，已停止。</translation>
    </message>
    <message>
        <source>Continue the answer, or try again.</source>
        <translation>请继续回答，或重试。</translation>
    </message>
    <message>
        <source>The base URL is not a web address.</source>
        <translation>基础 URL 不是网址。</translation>
    </message>
    <message>
        <source>The base URL for {hostname} contains a user name or a password.</source>
        <translation>{hostname} 的基础 URL 包含用户名或密码。</translation>
    </message>
    <message>
        <source>The API key contains characters that no key has.</source>
        <translation>API 密钥包含密钥中不会出现的字符。</translation>
    </message>
    <message>
        <source>One of the extra headers contains characters that cannot be sent.</source>
        <translation>某个附加标头包含无法发送的字符。</translation>
    </message>
    <message>
        <source>The extra header Host names another server than the address.</source>
        <translation>附加标头 Host 指向的服务器与地址不同。</translation>
    </message>
    <message>
        <source>The proxy that the system names cannot be used: {proxy}. Name an HTTP proxy there, or set the proxy of this provider.</source>
        <translation>系统指定的代理无法使用：{proxy}。请在那里指定 HTTP 代理，或设置此提供商的代理。</translation>
    </message>
    <message>
        <source>The file of certificates is not there.</source>
        <translation>证书文件不存在。</translation>
    </message>
    <message>
        <source>Your message and the part of the answer that arrived are kept.</source>
        <translation>消息和已到达的部分回答已保留。</translation>
    </message>
    <message>
        <source>There is no network connection to {who}.</source>
        <translation>与 {who} 没有网络连接。</translation>
    </message>
    <message>
        <source>Check the network, then try again; the offline model works without one.</source>
        <translation>请检查网络后重试；离线模型无需网络。</translation>
    </message>
    <message>
        <source>The address of {who} could not be found.</source>
        <translation>找不到 {who} 的地址。</translation>
    </message>
    <message>
        <source>Check the network and the spelling of the base URL, then try again.</source>
        <translation>请检查网络和基础 URL 的拼写，然后重试。</translation>
    </message>
    <message>
        <source>{who} refused the connection.</source>
        <translation>{who} 拒绝了连接。</translation>
    </message>
    <message>
        <source>Check that the server is running and that the base URL names the right port.</source>
        <translation>请检查服务器是否在运行，以及基础 URL 的端口是否正确。</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate or encryption was not accepted.</source>
        <translation>与 {who} 的连接不安全：其证书或加密未被接受。</translation>
    </message>
    <message>
        <source>Check the clock of this computer, the base URL and any proxy; nothing is sent until this is solved.</source>
        <translation>请检查此计算机的时钟、基础 URL 和代理；在解决之前不会发送任何内容。</translation>
    </message>
    <message>
        <source>{who} did not accept the request.</source>
        <translation>{who} 未接受请求。</translation>
    </message>
    <message>
        <source>Change the message or choose another model, then try again.</source>
        <translation>请更改消息或选择其他模型，然后重试。</translation>
    </message>
    <message>
        <source>{who} did not accept the API key.</source>
        <translation>{who} 未接受 API 密钥。</translation>
    </message>
    <message>
        <source>Check the API key in the settings.</source>
        <translation>请在设置中检查 API 密钥。</translation>
    </message>
    <message>
        <source>The account at {who} has no credit left or has reached its spending limit.</source>
        <translation>{who} 的账户余额已用尽或已达到支出上限。</translation>
    </message>
    <message>
        <source>Check the billing page of the account, or choose another provider.</source>
        <translation>请检查账户的计费页面，或选择其他提供商。</translation>
    </message>
    <message>
        <source>{who} does not allow this API key to do that.</source>
        <translation>{who} 不允许此 API 密钥这样做。</translation>
    </message>
    <message>
        <source>Choose another model, or ask the owner of the account.</source>
        <translation>请选择其他模型，或询问账户所有者。</translation>
    </message>
    <message>
        <source>{who} does not know this model or this address.</source>
        <translation>{who} 不认识此模型或此地址。</translation>
    </message>
    <message>
        <source>Choose another model, or check the base URL.</source>
        <translation>请选择其他模型，或检查基础 URL。</translation>
    </message>
    <message>
        <source>{who} gave up on the request because it took too long.</source>
        <translation>{who} 因用时过长而放弃了请求。</translation>
    </message>
    <message>
        <source>Try again, or shorten the message.</source>
        <translation>请重试，或缩短消息。</translation>
    </message>
    <message>
        <source>{who} refused the request because it conflicts with another one.</source>
        <translation>{who} 拒绝了请求，因为它与另一个请求冲突。</translation>
    </message>
    <message>
        <source>Try again in a moment.</source>
        <translation>请稍后重试。</translation>
    </message>
    <message>
        <source>The thread is too long for this model.</source>
        <translation>对话对此模型来说太长。</translation>
    </message>
    <message>
        <source>Start a new thread, shorten the message, or choose a larger model.</source>
        <translation>请新建对话，缩短消息，或选择更大的模型。</translation>
    </message>
    <message>
        <source>{who} is receiving too many requests.</source>
        <translation>{who} 收到的请求过多。</translation>
    </message>
    <message>
        <source>Wait a moment, then try again.</source>
        <translation>请稍等片刻，然后重试。</translation>
    </message>
    <message>
        <source>{who} had an internal error.</source>
        <translation>{who} 发生内部错误。</translation>
    </message>
    <message>
        <source>Try again in a moment or choose another model.</source>
        <translation>请稍后重试或选择其他模型。</translation>
    </message>
    <message>
        <source>{who} could not be reached within {seconds} s.</source>
        <translation>{seconds} 秒内无法连接 {who}。</translation>
    </message>
    <message>
        <source>Check the network and the base URL, then try again.</source>
        <translation>请检查网络和基础 URL，然后重试。</translation>
    </message>
    <message>
        <source>{who} did not begin to answer within {seconds} s.</source>
        <translation>{who} 在 {seconds} 秒内没有开始回答。</translation>
    </message>
    <message>
        <source>Try again, or give it more time: “First word” of this provider, or provider.first_byte_timeout_s.</source>
        <translation>请重试，或给它更多时间：此提供商的“首个词”，或 provider.first_byte_timeout_s。</translation>
    </message>
    <message>
        <source>Try again or choose another model.</source>
        <translation>请重试或选择其他模型。</translation>
    </message>
    <message>
        <source>{who} stopped sending: no more of the answer arrived for {seconds} s.</source>
        <translation>{who} 停止发送：{seconds} 秒内没有收到回答的后续内容。</translation>
    </message>
    <message>
        <source>{who} redirected the request to another address; ChatDesk did not follow, so nothing was sent there.</source>
        <translation>{who} 将请求重定向到另一个地址；ChatDesk 没有跟随，因此没有向那里发送任何内容。</translation>
    </message>
    <message>
        <source>{who} redirected the request without saying where to.</source>
        <translation>{who} 重定向了请求，但没有说明目标。</translation>
    </message>
    <message>
        <source>{who} redirected the request to an address that cannot be read.</source>
        <translation>{who} 将请求重定向到一个无法读取的地址。</translation>
    </message>
    <message>
        <source>{who} redirected the request to something that is not a web address, so nothing was sent there.</source>
        <translation>{who} 将请求重定向到并非网址的目标，因此没有向那里发送任何内容。</translation>
    </message>
    <message>
        <source>{who} redirected the request in a way that would lose the message, so ChatDesk did not follow.</source>
        <translation>{who} 以会丢失消息的方式重定向了请求，因此 ChatDesk 没有跟随。</translation>
    </message>
    <message>
        <source>Check the base URL: a wrong path or a log-in page often causes this.</source>
        <translation>请检查基础 URL：路径错误或登录页面常会导致此问题。</translation>
    </message>
    <message>
        <source>{who} redirected the request to another address ({host}); ChatDesk did not follow, so nothing was sent there.</source>
        <translation>{who} 将请求重定向到另一个地址（{host}）；ChatDesk 没有跟随，因此没有向那里发送任何内容。</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is self-signed.</source>
        <translation>与 {who} 的连接不安全：其证书是自签名的。</translation>
    </message>
    <message>
        <source>The connection to {who} was lost.</source>
        <translation>与 {who} 的连接已断开。</translation>
    </message>
    <message>
        <source>{who} sent something that ChatDesk cannot read.</source>
        <translation>{who} 发送了 ChatDesk 无法读取的内容。</translation>
    </message>
    <message>
        <source>Try again; if it stays so, check the base URL.</source>
        <translation>请重试；如果仍然如此，请检查基础 URL。</translation>
    </message>
    <message>
        <source>{who} ended the answer without saying that it is finished, so it may be cut off.</source>
        <translation>{who} 结束了回答但未说明已完成，因此回答可能被截断。</translation>
    </message>
    <message>
        <source>{who} sent a web page or a file instead of an answer.</source>
        <translation>{who} 发送的是网页或文件，而不是回答。</translation>
    </message>
    <message>
        <source>Check the base URL (it usually ends in /v1), and sign in first if this network has a log-in page.</source>
        <translation>请检查基础 URL（通常以 /v1 结尾）；如果此网络有登录页面，请先登录。</translation>
    </message>
    <message>
        <source>{who} sent an empty answer.</source>
        <translation>{who} 发送了空的回答。</translation>
    </message>
    <message>
        <source>The content filter of {who} stopped the answer.</source>
        <translation>{who} 的内容过滤器停止了回答。</translation>
    </message>
    <message>
        <source>Rephrase the message.</source>
        <translation>请换一种方式表达消息。</translation>
    </message>
    <message>
        <source>{who} did not accept the image: it says that this model sees none.</source>
        <translation>{who} 没有接受图片：它说这个模型看不了图片。</translation>
    </message>
    <message>
        <source>Send the question without the image, or choose another model.</source>
        <translation>请不带图片发送问题，或选择其他模型。</translation>
    </message>
    <message>
        <source>{who} sent more data than an answer may have, so the connection was closed.</source>
        <translation>{who} 发送的数据超过回答允许的量，因此已关闭连接。</translation>
    </message>
    <message>
        <source>Ask for a shorter answer, or choose another model.</source>
        <translation>请要求更短的回答，或选择其他模型。</translation>
    </message>
    <message>
        <source>Set the base URL to the final address if you trust it.</source>
        <translation>如果信任最终地址，请将基础 URL 设为它。</translation>
    </message>
    <message>
        <source>There is no API key for {who}.</source>
        <translation>没有 {who} 的 API 密钥。</translation>
    </message>
    <message>
        <source>Set OPENAI_API_KEY and start ChatDesk again, or choose the offline model.</source>
        <translation>请设置 OPENAI_API_KEY 并重新启动 ChatDesk，或选择离线模型。</translation>
    </message>
    <message>
        <source>The request to {who} failed.</source>
        <translation>对 {who} 的请求失败。</translation>
    </message>
    <message>
        <source>{who} is overloaded at the moment.</source>
        <translation>{who} 目前过载。</translation>
    </message>
    <message>
        <source>{who} redirected the request in a circle, so ChatDesk gave up.</source>
        <translation>{who} 循环重定向请求，因此 ChatDesk 放弃了。</translation>
    </message>
    <message>
        <source>Check the base URL, then try again.</source>
        <translation>请检查基础 URL，然后重试。</translation>
    </message>
    <message>
        <source>Check the clock of this computer; nothing is sent until this is solved.</source>
        <translation>请检查此计算机的时钟；在解决之前不会发送任何内容。</translation>
    </message>
    <message>
        <source>Check the base URL and any proxy; nothing is sent until this is solved.</source>
        <translation>请检查基础 URL 和代理；在解决之前不会发送任何内容。</translation>
    </message>
    <message>
        <source>If it is your own server, name its certificate&apos;s file in Settings, Providers; nothing is sent until this is solved.</source>
        <translation>如果这是你自己的服务器，请在“设置”的“提供商”中指定其证书文件；在解决之前不会发送任何内容。</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is signed by an authority that this computer does not trust.</source>
        <translation>与 {who} 的连接不安全：其证书由此计算机不信任的机构签署。</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is not valid yet.</source>
        <translation>与 {who} 的连接不安全：其证书尚未生效。</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate has expired.</source>
        <translation>与 {who} 的连接不安全：其证书已过期。</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is for another name.</source>
        <translation>与 {who} 的连接不安全：其证书属于另一个名称。</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is for another address.</source>
        <translation>与 {who} 的连接不安全：其证书属于另一个地址。</translation>
    </message>
    <message numerus="yes">
        <source>{count} days</source>
        <comment>{count} day</comment>
        <translation>
            <numerusform>{count} 天</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} hours</source>
        <comment>{count} hour</comment>
        <translation>
            <numerusform>{count} 小时</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} minutes</source>
        <comment>{count} minute</comment>
        <translation>
            <numerusform>{count} 分钟</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} seconds</source>
        <comment>{count} second</comment>
        <translation>
            <numerusform>{count} 秒</numerusform>
        </translation>
    </message>
    <message>
        <source>This computer slept while the answer was being written, and the connection was lost.</source>
        <translation>编写回答时此计算机进入了睡眠，连接已断开。</translation>
    </message>
    <message>
        <source>ChatDesk made a mistake while reading the answer.</source>
        <translation>ChatDesk 读取回答时出错。</translation>
    </message>
    <message>
        <source>Try again; the log file has the details.</source>
        <translation>请重试；日志文件中有详情。</translation>
    </message>
    <message>
        <source>Check the base URL in Settings, Providers: for most servers it ends in /v1.</source>
        <translation>请在“设置”的“提供商”中检查基础 URL：大多数服务器以 /v1 结尾。</translation>
    </message>
    <message>
        <source>It says: “{quoted}”{stop}</source>
        <translation>对方说：“{quoted}”{stop}</translation>
    </message>
    <message>
        <source>Try again in {duration}.</source>
        <translation>请在 {duration}后重试。</translation>
    </message>
    <message>
        <source>{model} was retired by the company that made it.</source>
        <translation>{model} 已被其开发商停用。</translation>
    </message>
    <message>
        <source>Choose another model; that company names {successor} in its place.</source>
        <translation>请选择其他模型；开发商建议改用 {successor}。</translation>
    </message>
    <message>
        <source>Choose another model; the nearest are {nearest}.</source>
        <translation>请选择其他模型；最接近的是 {nearest}。</translation>
    </message>
    <message>
        <source>Enter its key in Settings, Providers (OPENAI_API_KEY works for OpenAI), or choose the offline model.</source>
        <translation>请在“设置”的“提供商”中输入其密钥（OpenAI 也可使用 OPENAI_API_KEY），或选择离线模型。</translation>
    </message>
    <message>
        <source>Correct it in the settings, then try again.</source>
        <translation>请在设置中更正，然后重试。</translation>
    </message>
    <message>
        <source>{what} Nothing was sent.</source>
        <translation>{what} 未发送任何内容。</translation>
    </message>
    <message>
        <source>{who} offers no model.</source>
        <translation>{who} 没有提供模型。</translation>
    </message>
    <message>
        <source>Install or load a model on the server, then try again.</source>
        <translation>请在服务器上安装或加载模型，然后重试。</translation>
    </message>
    <message>
        <source>This took too long.</source>
        <translation>用时过长。</translation>
    </message>
    <message numerus="yes">
        <source>{count} models are offered.</source>
        <comment>{count} model is offered.</comment>
        <translation>
            <numerusform>提供 {count} 个模型。</numerusform>
        </translation>
    </message>
    <message>
        <source>This server has no list of models; type their names.</source>
        <translation>此服务器没有模型列表；请输入模型名称。</translation>
    </message>
    <message>
        <source>No model to ask: choose one, then test again.</source>
        <translation>没有可询问的模型：请选择一个，然后再次测试。</translation>
    </message>
    <message>
        <source>The server offers no model.</source>
        <translation>服务器没有提供模型。</translation>
    </message>
    <message>
        <source>{model} streams its answer.</source>
        <translation>{model} 以流式发送回答。</translation>
    </message>
    <message>
        <source>The server answers.</source>
        <translation>服务器有响应。</translation>
    </message>
    <message>
        <source>The connection is encrypted.</source>
        <translation>连接已加密。</translation>
    </message>
    <message>
        <source>Not encrypted: the address is http.</source>
        <translation>未加密：地址为 http。</translation>
    </message>
    <message>
        <source>{status}: {sentence}</source>
        <translation>{status}：{sentence}</translation>
    </message>
    <message>
        <source>The key is accepted.</source>
        <translation>密钥已被接受。</translation>
    </message>
    <message>
        <source>No key is needed.</source>
        <translation>不需要密钥。</translation>
    </message>
    <message>
        <source>{who} reached the length limit before it wrote any of the answer.</source>
        <translation>{who} 在写出任何回答之前就达到了长度上限。</translation>
    </message>
    <message>
        <source>{who} called a tool that it was not offered, and wrote no answer.</source>
        <translation>{who} 调用了未提供给它的工具，没有写出回答。</translation>
    </message>
    <message>
        <source>{switched_off} is switched off.</source>
        <translation>{switched_off} 已关闭。</translation>
    </message>
    <message>
        <source>Switch it on in Settings, Providers, or choose another model.</source>
        <translation>请在“设置”的“提供商”中开启它，或选择其他模型。</translation>
    </message>
    <message>
        <source>There is no provider called “{name}”.</source>
        <translation>没有名为“{name}”的提供商。</translation>
    </message>
    <message>
        <source>Choose another model; the providers are: {known}.</source>
        <translation>请选择其他模型；提供商有：{known}。</translation>
    </message>
    <message>
        <source>{label} has no key yet.</source>
        <translation>{label} 还没有密钥。</translation>
    </message>
    <message>
        <source>{label} is switched off.</source>
        <translation>{label} 已关闭。</translation>
    </message>
    <message numerus="yes">
        <source>{count} models</source>
        <comment>{count} model</comment>
        <translation>
            <numerusform>{count} 个模型</numerusform>
        </translation>
    </message>
    <message>
        <source>{label} answers and offers {number}.</source>
        <translation>{label} 有响应，提供 {number}。</translation>
    </message>
    <message>
        <source>Your last message was cut off. Continue it exactly where it stops, in the middle of the word or line if need be. Do not repeat anything and do not add an introduction.</source>
        <translation>你的上一条消息被截断了。请从中断处准确地继续，必要时从词或行的中间接着写。不要重复任何内容，也不要添加开场白。</translation>
    </message>
    <message>
        <source>Looking further back would take long: only the newest part was searched.</source>
        <translation>继续往前查找会花很长时间：只搜索了最新的部分。</translation>
    </message>
    <message>
        <source>The newest {most_ranked} matches were ranked; older ones follow.</source>
        <translation>已对最新的 {most_ranked} 个匹配排序；较旧的在后面。</translation>
    </message>
    <message>
        <source>Older messages are still being indexed: {percent} %.</source>
        <translation>较旧的消息仍在建立索引：{percent} %。</translation>
    </message>
    <message>
        <source>Searching is not possible here: the search index is damaged. Your messages are not affected.</source>
        <translation>这里无法搜索：搜索索引已损坏。消息不受影响。</translation>
    </message>
    <message>
        <source>The search index is damaged and is being rebuilt. Your messages are not affected; search again later.</source>
        <translation>搜索索引已损坏，正在重建。消息不受影响；请稍后再搜索。</translation>
    </message>
    <message>
        <source>That is not a place in these results.</source>
        <translation>这不是这些结果中的位置。</translation>
    </message>
    <message>
        <source>Search again.</source>
        <translation>请重新搜索。</translation>
    </message>
    <message>
        <source>Summarise long threads</source>
        <translation>为长对话生成摘要</translation>
    </message>
    <message>
        <source>Older messages are sent as a summary. The messages themselves stay.</source>
        <translation>较旧的消息以摘要形式发送。消息本身保留。</translation>
    </message>
    <message>
        <source>Summaries</source>
        <translation>摘要</translation>
    </message>
    <message>
        <source>Summarise when the window is</source>
        <translation>窗口占用达到此值时生成摘要</translation>
    </message>
    <message>
        <source>% full</source>
        <translation>%</translation>
    </message>
    <message>
        <source>Summarise idle threads ahead</source>
        <translation>提前为闲置的对话生成摘要</translation>
    </message>
    <message>
        <source>So that your next question does not wait.</source>
        <translation>这样下一个问题无需等待。</translation>
    </message>
    <message>
        <source>Never</source>
        <translation>从不</translation>
    </message>
    <message>
        <source>Every night at 3:00</source>
        <translation>每天夜里 3:00</translation>
    </message>
    <message>
        <source>Every day at 12:00</source>
        <translation>每天 12:00</translation>
    </message>
    <message>
        <source>Every Sunday at 3:00</source>
        <translation>每周日 3:00</translation>
    </message>
    <message>
        <source>Every hour</source>
        <translation>每小时</translation>
    </message>
    <message>
        <source>Titles of new threads</source>
        <translation>新对话的标题</translation>
    </message>
    <message>
        <source>Titles</source>
        <translation>标题</translation>
    </message>
    <message>
        <source>Written by the model</source>
        <translation>由模型编写</translation>
    </message>
    <message>
        <source>The start of the question</source>
        <translation>问题的开头</translation>
    </message>
    <message>
        <source>Limit for titles and summaries</source>
        <translation>标题和摘要的限额</translation>
    </message>
    <message>
        <source>tokens a day</source>
        <translation>token/天</translation>
    </message>
    <message>
        <source>No limit</source>
        <translation>无限额</translation>
    </message>
    <message>
        <source>Ask before a summary costs more than</source>
        <translation>摘要费用超过此数时先询问</translation>
    </message>
    <message>
        <source>US dollars</source>
        <translation>美元</translation>
    </message>
    <message>
        <source>Never ask</source>
        <translation>从不询问</translation>
    </message>
    <message>
        <source>Ask before a summary takes more than</source>
        <translation>摘要用量超过此数时先询问</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>token</translation>
    </message>
    <message>
        <source>it must be true or false</source>
        <translation>必须为 true 或 false</translation>
    </message>
    <message>
        <source>it must be a number</source>
        <translation>必须是数字</translation>
    </message>
    <message>
        <source>it must be text</source>
        <translation>必须是文字</translation>
    </message>
    <message>
        <source>it must be one of {choices}</source>
        <translation>必须是以下之一：{choices}</translation>
    </message>
    <message>
        <source>it must be text without control characters</source>
        <translation>必须是不含控制字符的文字</translation>
    </message>
    <message>
        <source>it must be one line</source>
        <translation>必须为一行</translation>
    </message>
    <message>
        <source>it must be at least {minimum}</source>
        <translation>必须至少为 {minimum}</translation>
    </message>
    <message>
        <source>it must be at most {maximum}</source>
        <translation>必须至多为 {maximum}</translation>
    </message>
    <message>
        <source>it must be a whole number</source>
        <translation>必须是整数</translation>
    </message>
    <message>
        <source>it must be a table of names and texts, such as {&quot;X-Team&quot; = &quot;blue&quot;}</source>
        <translation>必须是名称与文字的表，例如 {&quot;X-Team&quot; = &quot;blue&quot;}</translation>
    </message>
    <message>
        <source>names and values must be text</source>
        <translation>名称和值必须是文字</translation>
    </message>
    <message>
        <source>a name has letters, digits, dots and hyphens only</source>
        <translation>名称只能包含字母、数字、点和连字符</translation>
    </message>
    <message>
        <source>a value must be one line</source>
        <translation>值必须为一行</translation>
    </message>
    <message>
        <source>each line must look like &apos;Name: value&apos;</source>
        <translation>每行必须形如 &apos;Name: value&apos;</translation>
    </message>
    <message>
        <source>it must be a provider and a model, such as openai/gpt-5.4-mini</source>
        <translation>必须是提供商和模型，例如 openai/gpt-5.4-mini</translation>
    </message>
    <message>
        <source>it must begin with https:// or http:// and name a server</source>
        <translation>必须以 https:// 或 http:// 开头并指明服务器</translation>
    </message>
    <message>
        <source>it must not contain a password; use the keyring or OPENAI_API_KEY</source>
        <translation>不得包含密码；请使用密钥环或 OPENAI_API_KEY</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged; it is kept under another name when it is read next.</source>
        <translation>文件 {path}（{subject}）已损坏；下次读取时将以其他名称保留。</translation>
    </message>
    <message>
        <source>The file of {subject} {path} was written by a newer ChatDesk. What is known of it is used, and it is left as it is.</source>
        <translation>{subject}文件 {path} 由较新的 ChatDesk 写入。将使用其中已知的内容，文件保持原样。</translation>
    </message>
    <message>
        <source>The file of {subject} {path} cannot be read ({strerror}).</source>
        <translation>{subject}文件 {path} 无法读取（{strerror}）。</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged and was left as it is.</source>
        <translation>{subject}文件 {path} 已损坏，保持原样。</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged; it is kept as {name}. Set the {subject} up again.</source>
        <translation>{subject}文件 {path} 已损坏；已保留为 {name}。请重新设置{subject}。</translation>
    </message>
    <message>
        <source>The passphrase does not open the file of keys.</source>
        <translation>该密码短语无法打开密钥文件。</translation>
    </message>
    <message>
        <source>The keys are unchanged.</source>
        <translation>密钥未变。</translation>
    </message>
    <message>
        <source>The file of keys cannot be read or written.</source>
        <translation>无法读取或写入密钥文件。</translation>
    </message>
    <message>
        <source>It was left as it is; keys hold until ChatDesk closes.</source>
        <translation>它保持原样；密钥在 ChatDesk 关闭之前有效。</translation>
    </message>
    <message>
        <source>Type it again; capital letters count. Without it, the keys have to be entered again.</source>
        <translation>请重新输入；区分大小写。没有它就必须重新输入密钥。</translation>
    </message>
    <message>
        <source>Check the configuration directory, or delete the file keys.encrypted.json and enter the keys again.</source>
        <translation>请检查配置目录，或删除文件 keys.encrypted.json 并重新输入密钥。</translation>
    </message>
    <message>
        <source>The file of keys has not been opened in this run.</source>
        <translation>本次运行中尚未打开密钥文件。</translation>
    </message>
    <message>
        <source>The keys in it are unchanged.</source>
        <translation>其中的密钥未变。</translation>
    </message>
    <message>
        <source>Enter its passphrase in Settings, Providers.</source>
        <translation>请在“设置”的“提供商”中输入其密码短语。</translation>
    </message>
    <message>
        <source>There is a file of keys already.</source>
        <translation>已有密钥文件。</translation>
    </message>
    <message>
        <source>Enter its passphrase.</source>
        <translation>请输入其密码短语。</translation>
    </message>
    <message>
        <source>Straight rows of keys are easy to guess.</source>
        <translation>连成直线的按键很容易被猜到。</translation>
    </message>
    <message>
        <source>Short keyboard patterns are easy to guess.</source>
        <translation>短的键盘图案很容易被猜到。</translation>
    </message>
    <message>
        <source>Repeats like &quot;aaa&quot; are easy to guess.</source>
        <translation>“aaa”这样的重复很容易被猜到。</translation>
    </message>
    <message>
        <source>Repeats like &quot;abcabcabc&quot; are only slightly harder to guess than &quot;abc&quot;.</source>
        <translation>“abcabcabc”这样的重复只比“abc”略难猜。</translation>
    </message>
    <message>
        <source>Sequences like &quot;abc&quot; or &quot;6543&quot; are easy to guess.</source>
        <translation>“abc”或“6543”这样的序列很容易被猜到。</translation>
    </message>
    <message>
        <source>Recent years are easy to guess.</source>
        <translation>最近的年份很容易被猜到。</translation>
    </message>
    <message>
        <source>Dates are often easy to guess.</source>
        <translation>日期往往很容易被猜到。</translation>
    </message>
    <message>
        <source>This is a top-10 common password.</source>
        <translation>这是最常见的 10 个密码之一。</translation>
    </message>
    <message>
        <source>This is a top-100 common password.</source>
        <translation>这是最常见的 100 个密码之一。</translation>
    </message>
    <message>
        <source>This is a very common password.</source>
        <translation>这是非常常见的密码。</translation>
    </message>
    <message>
        <source>This is similar to a commonly used password.</source>
        <translation>这与常用密码相似。</translation>
    </message>
    <message>
        <source>A word by itself is easy to guess.</source>
        <translation>单独一个词很容易被猜到。</translation>
    </message>
    <message>
        <source>Names and surnames by themselves are easy to guess.</source>
        <translation>单独的姓名很容易被猜到。</translation>
    </message>
    <message>
        <source>Common names and surnames are easy to guess.</source>
        <translation>常见的姓名很容易被猜到。</translation>
    </message>
    <message>
        <source>A new passphrase: four words or more</source>
        <translation>新密码短语：四个或更多词</translation>
    </message>
    <message>
        <source>This passphrase is easy to guess.</source>
        <translation>此密码短语容易被猜到。</translation>
    </message>
    <message>
        <source>Four or five words that do not belong together are easy to remember and hard to guess.</source>
        <translation>四五个互不相关的词易记难猜。</translation>
    </message>
    <message>
        <source>A passphrase of blanks guards nothing.</source>
        <translation>全是空白的密码短语起不到保护作用。</translation>
    </message>
    <message>
        <source>Any OpenAI-compatible address.</source>
        <translation>任何兼容 OpenAI 的地址。</translation>
    </message>
    <message>
        <source>Own server</source>
        <translation>自有服务器</translation>
    </message>
    <message>
        <source>Enter the name of your resource in the address. Models are your deployments.</source>
        <translation>请在地址中输入资源名称。模型即你的部署。</translation>
    </message>
    <message>
        <source>The providers could not be saved.</source>
        <translation>无法保存提供商。</translation>
    </message>
    <message>
        <source>The old file is unchanged; the change applies until ChatDesk closes.</source>
        <translation>旧文件未变；更改在 ChatDesk 关闭之前有效。</translation>
    </message>
    <message>
        <source>Check the permissions and the free space of the configuration directory.</source>
        <translation>请检查配置目录的权限和可用空间。</translation>
    </message>
    <message>
        <source>providers</source>
        <translation>提供商</translation>
    </message>
    <message>
        <source>The file of providers was written by a newer ChatDesk.</source>
        <translation>提供商文件由较新的 ChatDesk 写入。</translation>
    </message>
    <message>
        <source>Update ChatDesk to change it.</source>
        <translation>请更新 ChatDesk 以更改它。</translation>
    </message>
    <message>
        <source>The file of providers {path} could not be written.</source>
        <translation>无法写入提供商文件 {path}。</translation>
    </message>
    <message numerus="yes">
        <source>{count} providers were left out: its entry in providers.json cannot be used.</source>
        <comment>{count} provider was left out: its entry in providers.json cannot be used.</comment>
        <translation>
            <numerusform>已略去 {count} 个提供商：其在 providers.json 中的条目无法使用。</numerusform>
        </translation>
    </message>
    <message>
        <source>New threads use</source>
        <translation>新对话使用</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>The first provider that is ready</source>
        <translation>第一个可用的提供商</translation>
    </message>
    <message>
        <source>The offline demo</source>
        <translation>离线演示</translation>
    </message>
    <message>
        <source>Address of OpenAI</source>
        <translation>OpenAI 的地址</translation>
    </message>
    <message>
        <source>Model of new threads</source>
        <translation>新对话的模型</translation>
    </message>
    <message>
        <source>The provider&apos;s own choice</source>
        <translation>由提供商选择</translation>
    </message>
    <message>
        <source>Headers for OpenAI</source>
        <translation>OpenAI 的标头</translation>
    </message>
    <message>
        <source>Model for titles and summaries</source>
        <translation>标题和摘要的模型</translation>
    </message>
    <message>
        <source>The thread&apos;s own model</source>
        <translation>对话自己的模型</translation>
    </message>
    <message>
        <source>Let models draw with their vendor&apos;s image tool</source>
        <translation>让模型使用其厂商的图像工具绘图</translation>
    </message>
    <message>
        <source>Responses protocol only; no limit sees what drawing costs.</source>
        <translation>仅限 Responses 协议；绘图费用不计入任何限额。</translation>
    </message>
    <message>
        <source>Model for pictures</source>
        <translation>用于图片的模型</translation>
    </message>
    <message>
        <source>Offered where a model sees none.</source>
        <translation>在模型看不到图片时提供。</translation>
    </message>
    <message>
        <source>None</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Longest answer</source>
        <translation>回答长度上限</translation>
    </message>
    <message>
        <source>The model&apos;s own limit</source>
        <translation>模型自己的上限</translation>
    </message>
    <message>
        <source>Keep the start of a thread for</source>
        <translation>保留对话开头的时间</translation>
    </message>
    <message>
        <source>Makes follow-up questions to Claude cheaper.</source>
        <translation>使向 Claude 的后续提问更便宜。</translation>
    </message>
    <message>
        <source>5 minutes</source>
        <translation>5 分钟</translation>
    </message>
    <message>
        <source>1 hour</source>
        <translation>1 小时</translation>
    </message>
    <message>
        <source>Do not keep it</source>
        <translation>不保留</translation>
    </message>
    <message>
        <source>Wait for a connection</source>
        <translation>等待连接</translation>
    </message>
    <message>
        <source>Slow servers</source>
        <translation>慢速服务器</translation>
    </message>
    <message>
        <source>seconds</source>
        <translation>秒</translation>
    </message>
    <message>
        <source>Wait for an answer to begin</source>
        <translation>等待回答开始</translation>
    </message>
    <message>
        <source>Servers on this computer and in the local network get ten times as long.</source>
        <translation>本机和本地网络中的服务器可等待十倍的时间。</translation>
    </message>
    <message>
        <source>Wait when an answer pauses</source>
        <translation>回答暂停时等待</translation>
    </message>
    <message>
        <source>When you are offline</source>
        <translation>离线时</translation>
    </message>
    <message>
        <source>Wait until you try again</source>
        <translation>等待手动重试</translation>
    </message>
    <message>
        <source>Send once you are online</source>
        <translation>联网后发送</translation>
    </message>
    <message>
        <source>When you close the window during an answer</source>
        <translation>回答期间关闭窗口时</translation>
    </message>
    <message>
        <source>Stop, and continue it later</source>
        <translation>停止，稍后继续</translation>
    </message>
    <message>
        <source>Finish it first</source>
        <translation>先完成回答</translation>
    </message>
    <message>
        <source>Speed of the offline demo</source>
        <translation>离线演示的速度</translation>
    </message>
    <message>
        <source>tokens/s</source>
        <translation>token/秒</translation>
    </message>
    <message>
        <source>Instructions for all threads</source>
        <translation>所有对话的指令</translation>
    </message>
    <message>
        <source>A project or thread with its own instructions uses those instead.</source>
        <translation>有自己指令的项目或对话改用其自己的指令。</translation>
    </message>
    <message>
        <source>Writing</source>
        <translation>撰写</translation>
    </message>
    <message>
        <source>For example: answer briefly, in British English.</source>
        <translation>例如：简短回答，使用简体中文。</translation>
    </message>
    <message>
        <source>custom instructions system prompt personality</source>
        <translation>custom instructions system prompt personality 自定义指令 系统提示词 个性</translation>
    </message>
    <message>
        <source>Send at most</source>
        <translation>最多发送</translation>
    </message>
    <message>
        <source>For example 20/min or 200/day. Further messages wait their turn.</source>
        <translation>例如 20/min 或 200/day。更多消息会排队等待。</translation>
    </message>
    <message>
        <source>rate</source>
        <translation>rate 速率 频率</translation>
    </message>
    <message>
        <source>Send at most, by provider and project</source>
        <translation>最多发送（按提供商和项目）</translation>
    </message>
    <message>
        <source>Longest message</source>
        <translation>消息长度上限</translation>
    </message>
    <message>
        <source>Largest attached file</source>
        <translation>附加文件的大小上限</translation>
    </message>
    <message>
        <source>Most files in a message</source>
        <translation>一条消息的文件数上限</translation>
    </message>
    <message>
        <source>files</source>
        <translation>个文件</translation>
    </message>
    <message>
        <source>Largest size of all files in a message</source>
        <translation>一条消息所有文件的总大小上限</translation>
    </message>
    <message>
        <source>Largest size of all files in a day</source>
        <translation>一天所有文件的总大小上限</translation>
    </message>
    <message>
        <source>Kinds of files kept out</source>
        <translation>阻止的文件类型</translation>
    </message>
    <message>
        <source>Such as video/*, application/zip.</source>
        <translation>例如 video/*, application/zip。</translation>
    </message>
    <message>
        <source>Empty the trash after</source>
        <translation>多久后清空回收站</translation>
    </message>
    <message>
        <source>Trash and archive</source>
        <translation>回收站与归档</translation>
    </message>
    <message>
        <source>days</source>
        <translation>天</translation>
    </message>
    <message>
        <source>deleted retention</source>
        <translation>deleted retention 已删除 保留期</translation>
    </message>
    <message>
        <source>Move archived threads to the trash after</source>
        <translation>多久后将归档的对话移到回收站</translation>
    </message>
    <message>
        <source>Keep a backup of each day for</source>
        <translation>每天一份备份保留</translation>
    </message>
    <message>
        <source>Backups</source>
        <translation>备份</translation>
    </message>
    <message>
        <source>Before that, one of each week for</source>
        <translation>更早的备份每周一份保留</translation>
    </message>
    <message>
        <source>weeks</source>
        <translation>周</translation>
    </message>
    <message>
        <source>Notify about others&apos; messages</source>
        <translation>他人消息的通知</translation>
    </message>
    <message>
        <source>Only while the window is not in front.</source>
        <translation>仅当窗口不在最前时。</translation>
    </message>
    <message>
        <source>With name and thread</source>
        <translation>带姓名和对话</translation>
    </message>
    <message>
        <source>With name, thread and text</source>
        <translation>带姓名、对话和文字</translation>
    </message>
    <message>
        <source>Detail of the log file</source>
        <translation>日志文件的详细程度</translation>
    </message>
    <message>
        <source>From the next start on.</source>
        <translation>下次启动起生效。</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>日志</translation>
    </message>
    <message>
        <source>Everything</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>Normal</source>
        <translation>普通</translation>
    </message>
    <message>
        <source>Warnings and failures</source>
        <translation>警告和故障</translation>
    </message>
    <message>
        <source>Failures only</source>
        <translation>仅故障</translation>
    </message>
    <message>
        <source>Virus scanner (clamd)</source>
        <translation>病毒扫描程序（clamd）</translation>
    </message>
    <message>
        <source>Its socket, such as /run/clamav/clamd.ctl, or host:port.</source>
        <translation>其套接字，例如 /run/clamav/clamd.ctl，或 host:port。</translation>
    </message>
    <message>
        <source>Attached files</source>
        <translation>附加的文件</translation>
    </message>
    <message>
        <source>When the scanner does not answer</source>
        <translation>扫描程序没有响应时</translation>
    </message>
    <message>
        <source>Keep files out</source>
        <translation>阻止文件</translation>
    </message>
    <message>
        <source>Let files in</source>
        <translation>放行文件</translation>
    </message>
    <message>
        <source>The key could not be put into the system&apos;s keyring.</source>
        <translation>无法将密钥放入系统的密钥环。</translation>
    </message>
    <message>
        <source>It is used until ChatDesk closes and was not written to any file.</source>
        <translation>它在 ChatDesk 关闭之前使用，未写入任何文件。</translation>
    </message>
    <message>
        <source>Unlock or install a keyring, or choose the encrypted file in Settings, Providers.</source>
        <translation>请解锁或安装密钥环，或在“设置”的“提供商”中选择加密文件。</translation>
    </message>
    <message>
        <source>The keyring did not answer; it may be locked or waiting for a password.</source>
        <translation>密钥环没有响应；它可能已锁定或在等待密码。</translation>
    </message>
    <message>
        <source>no answer within {timeout_s} s</source>
        <translation>{timeout_s} 秒内没有响应</translation>
    </message>
    <message>
        <source>There is no keyring on this system.</source>
        <translation>此系统上没有密钥环。</translation>
    </message>
    <message>
        <source>The keyring is locked.</source>
        <translation>密钥环已锁定。</translation>
    </message>
    <message>
        <source>The keyring failed ({name}).</source>
        <translation>密钥环失败（{name}）。</translation>
    </message>
    <message>
        <source>Let other programs use ChatDesk</source>
        <translation>允许其他程序使用 ChatDesk</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>端口</translation>
    </message>
    <message>
        <source>The window and chatdesk serve listen on it.</source>
        <translation>窗口和 chatdesk serve 监听此端口。</translation>
    </message>
    <message>
        <source>on this computer</source>
        <translation>在此计算机上</translation>
    </message>
    <message>
        <source>Any that is free</source>
        <translation>任意空闲端口</translation>
    </message>
    <message>
        <source>api http rest</source>
        <translation>api http rest 接口</translation>
    </message>
    <message>
        <source>Also listen on</source>
        <translation>另外监听</translation>
    </message>
    <message>
        <source>For example 192.168.1.5:8443. Needs a certificate.</source>
        <translation>例如 192.168.1.5:8443。需要证书。</translation>
    </message>
    <message>
        <source>Nothing</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Certificate</source>
        <translation>证书</translation>
    </message>
    <message>
        <source>A PEM file.</source>
        <translation>PEM 文件。</translation>
    </message>
    <message>
        <source>Key of the certificate</source>
        <translation>证书的密钥</translation>
    </message>
    <message>
        <source>A PEM file without a passphrase.</source>
        <translation>没有密码短语的 PEM 文件。</translation>
    </message>
    <message>
        <source>Let web pages of these origins ask</source>
        <translation>允许这些来源的网页请求</translation>
    </message>
    <message>
        <source>For example https://tool.example. Each page still needs a token.</source>
        <translation>例如 https://tool.example。每个页面仍需要令牌。</translation>
    </message>
    <message>
        <source>cors origin browser website</source>
        <translation>cors origin browser website 来源 浏览器 网站</translation>
    </message>
    <message>
        <source>The settings could not be saved.</source>
        <translation>无法保存设置。</translation>
    </message>
    <message>
        <source>The old settings file is unchanged; the new settings hold until ChatDesk closes.</source>
        <translation>旧的设置文件未变；新设置在 ChatDesk 关闭之前有效。</translation>
    </message>
    <message>
        <source>{key} in the settings file</source>
        <translation>设置文件中的 {key}</translation>
    </message>
    <message>
        <source>{key} cannot be set: {error}.</source>
        <translation>无法设置 {key}：{error}。</translation>
    </message>
    <message>
        <source>The settings file {path} could not be written.</source>
        <translation>无法写入设置文件 {path}。</translation>
    </message>
    <message>
        <source>The settings file {path} cannot be read ({strerror}). Defaults are used; the file is unchanged.</source>
        <translation>无法读取设置文件 {path}（{strerror}）。使用默认值；文件未变。</translation>
    </message>
    <message>
        <source>The settings file {path} is empty. Defaults are used; delete it if that is meant.</source>
        <translation>设置文件 {path} 为空。使用默认值；如果有意如此，请删除它。</translation>
    </message>
    <message>
        <source>kept as {name}</source>
        <translation>保留为 {name}</translation>
    </message>
    <message>
        <source>left as it is</source>
        <translation>保持原样</translation>
    </message>
    <message>
        <source>The settings file {path} is damaged. Defaults are used; the damaged file is {where}.</source>
        <translation>设置文件 {path} 已损坏。使用默认值；损坏的文件{where}。</translation>
    </message>
    <message>
        <source>Steps of an answer</source>
        <translation>回答的步数</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>限额</translation>
    </message>
    <message>
        <source>requests to the model</source>
        <translation>次模型请求</translation>
    </message>
    <message>
        <source>Time for an answer</source>
        <translation>回答的时间</translation>
    </message>
    <message>
        <source>minutes</source>
        <translation>分钟</translation>
    </message>
    <message>
        <source>Time for a call</source>
        <translation>调用的时间</translation>
    </message>
    <message>
        <source>Time for a server to start</source>
        <translation>服务器启动时间</translation>
    </message>
    <message>
        <source>Cost of an answer</source>
        <translation>回答的费用</translation>
    </message>
    <message>
        <source>No limit of its own</source>
        <translation>没有自己的限额</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>主题</translation>
    </message>
    <message>
        <source>Look</source>
        <translation>外观</translation>
    </message>
    <message>
        <source>colours colors dark mode appearance</source>
        <translation>colours colors dark mode appearance 颜色 深色模式 外观</translation>
    </message>
    <message>
        <source>Same as the system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Light, high contrast</source>
        <translation>浅色，高对比度</translation>
    </message>
    <message>
        <source>Dark, high contrast</source>
        <translation>深色，高对比度</translation>
    </message>
    <message>
        <source>tour, help</source>
        <translation>导览, 帮助, 能做什么, 会什么</translation>
    </message>
    <message numerus="yes">
        <source>With your message I got these {count} files:</source>
        <comment>With your message I got this:</comment>
        <translation>
            <numerusform>随你的消息，我收到了这 {count} 个文件：</numerusform>
        </translation>
    </message>
    <message>
        <source>{name}, an image of {size} pixels</source>
        <translation>{name}，{size} 像素的图片</translation>
    </message>
    <message>
        <source>{name}, a file of {bytes} bytes ({kind}), of which the beginning and the end fit</source>
        <translation>{name}，{bytes} 字节的文件（{kind}），只容得下开头和结尾</translation>
    </message>
    <message>
        <source>{name}, a file of {bytes} bytes ({kind})</source>
        <translation>{name}，{bytes} 字节的文件（{kind}）</translation>
    </message>
    <message>
        <source>You wrote nothing.</source>
        <translation>你什么也没写。</translation>
    </message>
    <message>
        <source>You wrote: {question}</source>
        <translation>你写的是：{question}</translation>
    </message>
    <message>
        <source>A small function, and how to call it:</source>
        <translation>一个小函数及其调用方式：</translation>
    </message>
    <message>
        <source>The `dict` keeps the order in which words were first seen.</source>
        <translation>`dict` 会保持单词首次出现的顺序。</translation>
    </message>
    <message>
        <source>in the application</source>
        <translation>应用程序内</translation>
    </message>
    <message>
        <source>on a server</source>
        <translation>服务器上</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>运行位置</translation>
    </message>
    <message>
        <source>Good for</source>
        <translation>适合</translation>
    </message>
    <message>
        <source>First release</source>
        <translation>首次发布</translation>
    </message>
    <message>
        <source>one computer, one file</source>
        <translation>一台计算机，一个文件</translation>
    </message>
    <message>
        <source>many people at once</source>
        <translation>多人同时使用</translation>
    </message>
    <message>
        <source>analysing large tables</source>
        <translation>分析大型表格</translation>
    </message>
    <message>
        <source>**Say what you want.** One sentence is enough.</source>
        <translation>**说出你想要什么。** 一句话就够了。</translation>
    </message>
    <message>
        <source>**Collect what you have.**</source>
        <translation>**收集你已有的。**</translation>
    </message>
    <message>
        <source>notes</source>
        <translation>笔记</translation>
    </message>
    <message>
        <source>examples</source>
        <translation>示例</translation>
    </message>
    <message>
        <source>open questions</source>
        <translation>待解的问题</translation>
    </message>
    <message>
        <source>**Try the smallest thing that could work**, then look at it again.</source>
        <translation>**先试最小的可行做法**，然后再看一遍。</translation>
    </message>
    <message>
        <source>question asked</source>
        <translation>已提问</translation>
    </message>
    <message>
        <source>answer checked</source>
        <translation>已核对回答</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>步骤</translation>
    </message>
    <message>
        <source>With {first} and {second}, the two roots of {equation} are $a$ and $b$ themselves:</source>
        <translation>当 {first}、{second} 时，{equation} 的两个根就是 $a$ 和 $b$：</translation>
    </message>
    <message>
        <source>Mathematics</source>
        <translation>数学</translation>
    </message>
    <message>
        <source>The sum of the first $n$ whole numbers is {total}.</source>
        <translation>前 $n$ 个整数之和为 {total}。</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>Hello</source>
        <translation>你好</translation>
    </message>
    <message>
        <source>Thank you</source>
        <translation>谢谢</translation>
    </message>
    <message>
        <source>Translation</source>
        <translation>翻译</translation>
    </message>
    <message>
        <source>A real model would translate your own sentence.</source>
        <translation>真正的模型会翻译你自己的句子。</translation>
    </message>
    <message>
        <source>An explanation comes with **bold** and *italic* words, with [links](https://example.org) and with quotations:</source>
        <translation>解释中可以有**粗体**和*斜体*、[链接](https://example.org)以及引文：</translation>
    </message>
    <message>
        <source>A good explanation is one that lets you predict what happens next.</source>
        <translation>好的解释能让人预见接下来会发生什么。</translation>
    </message>
    <message>
        <source>**What it is for** comes first.</source>
        <translation>**它的用途**放在最前。</translation>
    </message>
    <message>
        <source>**How it works** follows, part by part.</source>
        <translation>**它如何运作**随后，逐部分说明。</translation>
    </message>
    <message>
        <source>**Where it ends** closes it.</source>
        <translation>**它止于何处**作为结尾。</translation>
    </message>
    <message>
        <source>Explanation</source>
        <translation>解释</translation>
    </message>
    <message>
        <source>Your message has **{words} words** and {characters} characters.</source>
        <translation>你的消息有 **{words} 个词**、{characters} 个字符。</translation>
    </message>
    <message>
        <source>In short</source>
        <translation>简而言之</translation>
    </message>
    <message>
        <source>hello, good morning</source>
        <translation>你好, 早上好, 嗨</translation>
    </message>
    <message>
        <source>code, function, program</source>
        <translation>代码, 函数, 程序, 脚本</translation>
    </message>
    <message>
        <source>table, compare</source>
        <translation>表格, 比较, 对比</translation>
    </message>
    <message>
        <source>list, steps, plan, ideas</source>
        <translation>列表, 步骤, 计划, 点子</translation>
    </message>
    <message>
        <source>mathematics, formula, calculate</source>
        <translation>数学, 公式, 方程, 计算</translation>
    </message>
    <message>
        <source>translate, translation</source>
        <translation>翻译</translation>
    </message>
    <message>
        <source>explain, why, what is</source>
        <translation>解释, 为什么, 什么是, 是什么</translation>
    </message>
    <message>
        <source>summary, summarise</source>
        <translation>总结, 摘要, 概括</translation>
    </message>
    <message>
        <source>Changes when ChatDesk starts again.</source>
        <translation>ChatDesk 重新启动后更改。</translation>
    </message>
    <message>
        <source>translation locale</source>
        <translation>translation locale 翻译 区域</translation>
    </message>
    <message>
        <source>Text size</source>
        <translation>文字大小</translation>
    </message>
    <message>
        <source>font zoom</source>
        <translation>font zoom 字体 缩放</translation>
    </message>
    <message>
        <source>Room for fingers</source>
        <translation>为手指留出空间</translation>
    </message>
    <message>
        <source>touch screen targets size density</source>
        <translation>触摸屏 触控 目标 大小 密度</translation>
    </message>
    <message>
        <source>When the screen is touched</source>
        <translation>触摸屏幕时</translation>
    </message>
    <message>
        <source>Always</source>
        <translation>总是</translation>
    </message>
    <message>
        <source>Animations</source>
        <translation>动画</translation>
    </message>
    <message>
        <source>movement</source>
        <translation>movement 动态效果</translation>
    </message>
    <message>
        <source>On</source>
        <translation>开</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>关</translation>
    </message>
    <message>
        <source>Screen reader reads answers</source>
        <translation>屏幕阅读器朗读回答</translation>
    </message>
    <message>
        <source>Their start and end are always announced.</source>
        <translation>其开始和结束总会播报。</translation>
    </message>
    <message>
        <source>speech voice</source>
        <translation>speech voice 语音 朗读</translation>
    </message>
    <message>
        <source>No</source>
        <translation>否</translation>
    </message>
    <message>
        <source>When they are complete</source>
        <translation>完成后</translation>
    </message>
    <message>
        <source>Sentence by sentence</source>
        <translation>逐句</translation>
    </message>
    <message>
        <source>Send with</source>
        <translation>发送按键</translation>
    </message>
    <message>
        <source>Shift+Enter always adds a line.</source>
        <translation>Shift+Enter 总是换行。</translation>
    </message>
    <message>
        <source>return key newline</source>
        <translation>return key newline 回车键 换行</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>键盘快捷键</translation>
    </message>
    <message>
        <source>Press Ctrl+/ to see them at any time.</source>
        <translation>随时按 Ctrl+/ 查看。</translation>
    </message>
    <message>
        <source>Show your messages</source>
        <translation>显示你的消息</translation>
    </message>
    <message>
        <source>markdown</source>
        <translation>markdown 格式</translation>
    </message>
    <message>
        <source>With formatting</source>
        <translation>带格式</translation>
    </message>
    <message>
        <source>Exactly as typed</source>
        <translation>与输入完全一致</translation>
    </message>
    <message>
        <source>Notify when an answer is ready</source>
        <translation>回答就绪时通知</translation>
    </message>
    <message>
        <source>While you work in another window.</source>
        <translation>当你在另一个窗口中工作时。</translation>
    </message>
    <message>
        <source>Desktop</source>
        <translation>桌面</translation>
    </message>
    <message>
        <source>If it took 10 seconds</source>
        <translation>如果用了 10 秒</translation>
    </message>
    <message>
        <source>Icon in the tray</source>
        <translation>托盘图标</translation>
    </message>
    <message>
        <source>system tray status close minimise background</source>
        <translation>system tray status close minimise background 系统托盘 状态 关闭 最小化 后台</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>显示</translation>
    </message>
    <message>
        <source>Show, and keep running in it</source>
        <translation>显示，并在其中继续运行</translation>
    </message>
    <message>
        <source>Start when you log in</source>
        <translation>登录时启动</translation>
    </message>
    <message>
        <source>autostart boot</source>
        <translation>autostart boot 自动启动 开机</translation>
    </message>
    <message>
        <source>When you delete a message</source>
        <translation>删除消息时</translation>
    </message>
    <message>
        <source>Ask about later ones</source>
        <translation>询问是否删除后面的消息</translation>
    </message>
    <message>
        <source>Delete only that one</source>
        <translation>仅删除该消息</translation>
    </message>
    <message>
        <source>Delete later ones too</source>
        <translation>同时删除后面的消息</translation>
    </message>
    <message>
        <source>Look for a new version once a day</source>
        <translation>每天检查一次新版本</translation>
    </message>
    <message>
        <source>The portable program only; “Updates…” says how yours is updated.</source>
        <translation>仅限便携版；“更新…”会说明你的版本如何更新。</translation>
    </message>
    <message>
        <source>Updates</source>
        <translation>更新</translation>
    </message>
    <message>
        <source>update upgrade release</source>
        <translation>更新 升级 新版本</translation>
    </message>
    <message>
        <source>A page is either around a message, or before or after one.</source>
        <translation>一页要么围绕一条消息，要么在其之前或之后。</translation>
    </message>
    <message>
        <source>Only your own messages can be edited.</source>
        <translation>只能编辑自己的消息。</translation>
    </message>
    <message>
        <source>Only an answer can get a version of this kind.</source>
        <translation>只有回答才能有此类版本。</translation>
    </message>
    <message>
        <source>Only an answer that stopped before its end can be continued.</source>
        <translation>只有提前停止的回答才能继续。</translation>
    </message>
    <message>
        <source>Personal</source>
        <translation>个人</translation>
    </message>
    <message>
        <source>This project is in the trash.</source>
        <translation>此项目在回收站中。</translation>
    </message>
    <message>
        <source>This is the last project, and new threads need one.</source>
        <translation>这是最后一个项目，而新对话需要项目。</translation>
    </message>
    <message>
        <source>Make another one first.</source>
        <translation>请先创建另一个。</translation>
    </message>
    <message>
        <source>A project needs a name.</source>
        <translation>项目需要名称。</translation>
    </message>
    <message>
        <source>A project&apos;s name has at most {longest_name} characters.</source>
        <translation>项目名称最多 {longest_name} 个字符。</translation>
    </message>
    <message>
        <source>Choose a shorter one.</source>
        <translation>请选择较短的名称。</translation>
    </message>
    <message>
        <source>This answer is not waiting to be started.</source>
        <translation>此回答不在等待启动。</translation>
    </message>
    <message>
        <source>This answer has ended; nothing can be added to it.</source>
        <translation>此回答已结束；无法再添加内容。</translation>
    </message>
    <message>
        <source>A turn cannot end in a state that is not final.</source>
        <translation>一轮不能以非最终状态结束。</translation>
    </message>
    <message>
        <source>This answer has ended already.</source>
        <translation>此回答已经结束。</translation>
    </message>
    <message>
        <source>There is a tag “{key}” already.</source>
        <translation>已有标签“{key}”。</translation>
    </message>
    <message>
        <source>Choose another name.</source>
        <translation>请选择其他名称。</translation>
    </message>
    <message>
        <source>A tag needs a name.</source>
        <translation>标签需要名称。</translation>
    </message>
    <message>
        <source>A tag&apos;s name has at most {longest_name} characters.</source>
        <translation>标签名称最多 {longest_name} 个字符。</translation>
    </message>
    <message>
        <source>There is no tag with that id.</source>
        <translation>没有此 ID 的标签。</translation>
    </message>
    <message>
        <source>There is another tag “{name}” now.</source>
        <translation>现在已有另一个标签“{name}”。</translation>
    </message>
    <message>
        <source>Rename that one and try again.</source>
        <translation>请重命名那个标签，然后重试。</translation>
    </message>
    <message>
        <source>That is not a place in the list.</source>
        <translation>这不是列表中的位置。</translation>
    </message>
    <message>
        <source>Start from the first page.</source>
        <translation>请从第一页开始。</translation>
    </message>
    <message>
        <source>The text of this message was removed for good after its time in the trash.</source>
        <translation>此消息的文字在回收站期满后已永久移除。</translation>
    </message>
    <message>
        <source>{thread_ids} of {thread_ids_2} threads are not, or no longer, in the trash.</source>
        <translation>{thread_ids_2} 个对话中有 {thread_ids} 个（已）不在回收站中。</translation>
    </message>
    <message>
        <source>Select those that are and try again.</source>
        <translation>请选择在回收站中的对话，然后重试。</translation>
    </message>
    <message>
        <source>The backup that was just made is damaged, so it was not kept.</source>
        <translation>刚创建的备份已损坏，因此未保留。</translation>
    </message>
    <message>
        <source>The backup that was just made is not complete, so it was not kept.</source>
        <translation>刚创建的备份不完整，因此未保留。</translation>
    </message>
    <message>
        <source>The database is not open.</source>
        <translation>数据库未打开。</translation>
    </message>
    <message>
        <source>The database is closed.</source>
        <translation>数据库已关闭。</translation>
    </message>
    <message>
        <source>ChatDesk is reading this database while another program writes to it.</source>
        <translation>ChatDesk 正在读取此数据库，而另一个程序正在写入。</translation>
    </message>
    <message>
        <source>The database {path} could not be used.</source>
        <translation>无法使用数据库 {path}。</translation>
    </message>
    <message>
        <source>Another program is using the database {path}.</source>
        <translation>另一个程序正在使用数据库 {path}。</translation>
    </message>
    <message>
        <source>The database {path} cannot be written to.</source>
        <translation>无法写入数据库 {path}。</translation>
    </message>
    <message>
        <source>The database file {path} is damaged.</source>
        <translation>数据库文件 {path} 已损坏。</translation>
    </message>
    <message>
        <source>The disk of {folder} is full, so this could not be saved.</source>
        <translation>{folder} 所在磁盘已满，因此无法保存。</translation>
    </message>
    <message>
        <source>The disk reported an error while {file} was used.</source>
        <translation>使用 {file} 时磁盘报告了错误。</translation>
    </message>
    <message>
        <source>the database</source>
        <translation>数据库</translation>
    </message>
    <message>
        <source>What was saved before is unchanged; what was not confirmed counts as not saved.</source>
        <translation>之前保存的内容没有变化；未经确认的内容视为未保存。</translation>
    </message>
    <message>
        <source>Check the disk and its free space, then try again.</source>
        <translation>请检查磁盘及其可用空间，然后重试。</translation>
    </message>
    <message>
        <source>Change its owner or permissions, or choose another data directory.</source>
        <translation>请更改其所有者或权限，或选择另一个数据目录。</translation>
    </message>
    <message>
        <source>{path} is a directory, not a database file.</source>
        <translation>{path} 是目录，不是数据库文件。</translation>
    </message>
    <message>
        <source>Choose another data directory.</source>
        <translation>请选择另一个数据目录。</translation>
    </message>
    <message>
        <source>{path} is not a file, so it is no database.</source>
        <translation>{path} 不是文件，因此不是数据库。</translation>
    </message>
    <message>
        <source>The directory {parent} does not exist.</source>
        <translation>目录 {parent} 不存在。</translation>
    </message>
    <message>
        <source>Create it or choose another one.</source>
        <translation>请创建它或选择另一个。</translation>
    </message>
    <message>
        <source>The database file {path} may not be opened by this user.</source>
        <translation>此用户无权打开数据库文件 {path}。</translation>
    </message>
    <message>
        <source>The directory {parent} may not be read by this user.</source>
        <translation>此用户无权读取目录 {parent}。</translation>
    </message>
    <message>
        <source>No database can be created in {parent}.</source>
        <translation>无法在 {parent} 中创建数据库。</translation>
    </message>
    <message>
        <source>The database file {path} cannot be opened.</source>
        <translation>无法打开数据库文件 {path}。</translation>
    </message>
    <message>
        <source>the last changes</source>
        <translation>最近的更改</translation>
    </message>
    <message>
        <source>The database is older than it was when ChatDesk last saved: {lost} may be missing. This happens when a backup was restored, or when a file was lost. Nothing else was changed. Look for a newer backup in the backup directory if you did not restore one yourself.</source>
        <translation>数据库比 ChatDesk 上次保存时旧：可能缺少 {lost}。这发生在恢复备份或丢失文件时。其他内容均未更改。如果不是你自己恢复了备份，请在备份目录中查找较新的备份。</translation>
    </message>
    <message>
        <source>This data belongs to a newer ChatDesk (schema {revision}, here {head_revision}), so this one can only read it.</source>
        <translation>这些数据属于更新版本的 ChatDesk（架构 {revision}，此处为 {head_revision}），因此此版本只能读取。</translation>
    </message>
    <message>
        <source>You can read, search, copy and export your threads; nothing is changed.</source>
        <translation>可以阅读、搜索、复制和导出对话；不会更改任何内容。</translation>
    </message>
    <message>
        <source>Update ChatDesk to continue writing, or restore the backup from before the upgrade (Help, Upgrades and the way back).</source>
        <translation>请更新 ChatDesk 以继续写入，或恢复升级之前的备份（见“帮助”中的“Upgrades and the way back”）。</translation>
    </message>
    <message>
        <source>This database has schema version {revision}; this ChatDesk knows versions up to {head_revision}, and cannot read it: “{lacking}” is not there as it knows it.</source>
        <translation>此数据库的架构版本为 {revision}；此 ChatDesk 支持到版本 {head_revision}，无法读取它：“{lacking}”与其所知的不符。</translation>
    </message>
    <message>
        <source>This request was carried out before, and its result is no longer known.</source>
        <translation>此请求之前已执行，其结果已无从得知。</translation>
    </message>
    <message>
        <source>This was done before.</source>
        <translation>这先前已完成。</translation>
    </message>
    <message>
        <source>Nothing was done twice.</source>
        <translation>没有重复执行任何操作。</translation>
    </message>
    <message>
        <source>This was changed by somebody else in the meantime.</source>
        <translation>在此期间他人已更改了它。</translation>
    </message>
    <message>
        <source>Look at the current state, then make your change again.</source>
        <translation>请查看当前状态，然后重新进行更改。</translation>
    </message>
    <message>
        <source>The database contains something that ChatDesk did not put there: {first}{more}.</source>
        <translation>数据库包含不是 ChatDesk 放入的内容：{first}{more}。</translation>
    </message>
    <message>
        <source>None of it was used, and the file was left as it is.</source>
        <translation>其中内容均未使用，文件保持原样。</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor --repair&apos;: it copies your messages into a new database and keeps this one.</source>
        <translation>请运行 &apos;chatdesk doctor --repair&apos;：它会将消息复制到新数据库并保留此数据库。</translation>
    </message>
    <message>
        <source>The file is a database, but not one of ChatDesk&apos;s.</source>
        <translation>该文件是数据库，但不是 ChatDesk 的。</translation>
    </message>
    <message>
        <source>The database does not say which version its schema has, so it is damaged.</source>
        <translation>数据库没有说明其架构的版本，因此已损坏。</translation>
    </message>
    <message>
        <source>This database has schema version {revision}, from before the first release.</source>
        <translation>此数据库的架构版本为 {revision}，早于首次发布的版本。</translation>
    </message>
    <message>
        <source>This database has schema version {revision}; this ChatDesk knows versions up to {head_revision}.</source>
        <translation>此数据库的架构版本为 {revision}；此 ChatDesk 支持到版本 {head_revision}。</translation>
    </message>
    <message>
        <source>The database could not be upgraded from schema version {revision} to {head_revision}.</source>
        <translation>无法将数据库从架构版本 {revision} 升级到 {head_revision}。</translation>
    </message>
    <message>
        <source>It was left as it was and can be read; a verified backup is at {saved}.</source>
        <translation>它保持原样并可读取；经过校验的备份位于 {saved}。</translation>
    </message>
    <message>
        <source>The database file is damaged, so it was not upgraded.</source>
        <translation>数据库文件已损坏，因此未升级。</translation>
    </message>
    <message>
        <source>The database must be upgraded, which needs {needed} MB of free space; there are {free} MB.</source>
        <translation>数据库必须升级，需要 {needed} MB 可用空间；现有 {free} MB。</translation>
    </message>
    <message>
        <source>The database was not touched.</source>
        <translation>未触碰数据库。</translation>
    </message>
    <message>
        <source>Free some space; ChatDesk then continues by itself.</source>
        <translation>请释放一些空间；随后 ChatDesk 会自动继续。</translation>
    </message>
    <message>
        <source>The upgrade would have left rows that point to nothing, so it was undone.</source>
        <translation>升级会留下指向空处的行，因此已撤消。</translation>
    </message>
    <message>
        <source>The upgrade would have changed the number of rows in {changed}; it was undone.</source>
        <translation>升级会改变 {changed} 的行数；已撤销。</translation>
    </message>
    <message numerus="yes">
        <source>delete {count} threads</source>
        <comment>delete thread</comment>
        <translation>
            <numerusform>删除 {count} 个对话</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>restore {count} threads</source>
        <comment>restore thread</comment>
        <translation>
            <numerusform>恢复 {count} 个对话</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>tag {count} threads</source>
        <comment>tag thread</comment>
        <translation>
            <numerusform>为 {count} 个对话加标签</numerusform>
        </translation>
    </message>
    <message>
        <source>delete tag {name}</source>
        <translation>删除标签 {name}</translation>
    </message>
    <message>
        <source>delete project {name}</source>
        <translation>删除项目 {name}</translation>
    </message>
    <message>
        <source>restore project {name}</source>
        <translation>恢复项目 {name}</translation>
    </message>
    <message>
        <source>This thread is gone for good.</source>
        <translation>此对话已永久消失。</translation>
    </message>
    <message>
        <source>{missing} of {thread_ids} threads are gone for good.</source>
        <translation>{thread_ids} 个对话中有 {missing} 个已永久消失。</translation>
    </message>
    <message>
        <source>Select those that are left and try again.</source>
        <translation>请选择剩余的对话，然后重试。</translation>
    </message>
    <message numerus="yes">
        <source>{count} of {all} threads are in the trash.</source>
        <comment>{count} of {all} threads is in the trash.</comment>
        <translation>
            <numerusform>{all} 个对话中有 {count} 个在回收站中。</numerusform>
        </translation>
    </message>
    <message>
        <source>Restore them first, or select the others only.</source>
        <translation>请先恢复它们，或仅选择其余的。</translation>
    </message>
    <message>
        <source>A thread of a shared project cannot be moved out of it, because others have it, too.</source>
        <translation>共享项目的对话不能移出，因为其他人也拥有它。</translation>
    </message>
    <message>
        <source>Export it, and import it into the other project.</source>
        <translation>请将其导出，然后导入到另一个项目。</translation>
    </message>
    <message>
        <source>The team knows this thread from the project it was shared in before.</source>
        <translation>团队从它先前共享所在的项目中知道此对话。</translation>
    </message>
    <message>
        <source>Branch it at its last message, and move the branch.</source>
        <translation>请在其最后一条消息处创建分支，然后移动该分支。</translation>
    </message>
    <message>
        <source>This project is shared, so you cannot delete it.</source>
        <translation>此项目已共享，因此无法删除。</translation>
    </message>
    <message>
        <source>Stop sharing it first; then delete your copy.</source>
        <translation>请先停止共享，然后删除你的副本。</translation>
    </message>
    <message>
        <source>This project is shared by others, so you cannot delete it.</source>
        <translation>此项目由他人共享，因此无法删除。</translation>
    </message>
    <message>
        <source>Leave it first; then delete your copy.</source>
        <translation>请先离开它，然后删除你的副本。</translation>
    </message>
    <message>
        <source>The library holds {most_prompts} prompts at most.</source>
        <translation>库最多容纳 {most_prompts} 个提示词。</translation>
    </message>
    <message>
        <source>Delete some that you do not use.</source>
        <translation>请删除一些不用的。</translation>
    </message>
    <message>
        <source>The last changes cannot be shown: they are in the database&apos;s log, which can only be read where files can be created. Nothing was changed. Make the data directory writable, or copy it to a place that is, and start ChatDesk again.</source>
        <translation>无法显示最近的更改：它们在数据库的日志中，只有在可以创建文件的地方才能读取。未做任何更改。请使数据目录可写，或将其复制到可写的位置，然后重新启动。</translation>
    </message>
    <message>
        <source>The disk of {directory} is full, so ChatDesk can only read.</source>
        <translation>{directory} 所在的磁盘已满，因此 ChatDesk 只能读取。</translation>
    </message>
    <message>
        <source>There is no database at {path}.</source>
        <translation>{path} 处没有数据库。</translation>
    </message>
    <message>
        <source>Nothing was created.</source>
        <translation>未创建任何内容。</translation>
    </message>
    <message>
        <source>Start ChatDesk once, or choose another --data-dir.</source>
        <translation>请启动一次 ChatDesk，或选择另一个 --data-dir。</translation>
    </message>
    <message>
        <source>No project is called “{value}”.</source>
        <translation>没有名为“{value}”的项目。</translation>
    </message>
    <message>
        <source>No tag is called “{value}”.</source>
        <translation>没有名为“{value}”的标签。</translation>
    </message>
    <message>
        <source>This data belongs to a newer ChatDesk, whose search index this one cannot read.</source>
        <translation>此数据属于较新的 ChatDesk，此程序无法读取其搜索索引。</translation>
    </message>
    <message>
        <source>The search index is damaged and is being rebuilt. Your messages are not affected.</source>
        <translation>搜索索引已损坏，正在重建。你的消息不受影响。</translation>
    </message>
    <message>
        <source>Nobody else has this: its project is not shared.</source>
        <translation>其他人没有这个：其项目未共享。</translation>
    </message>
    <message>
        <source>Delete it, and empty the trash.</source>
        <translation>请将其删除，并清空回收站。</translation>
    </message>
    <message>
        <source>You wrote none of this, so you cannot erase it for everybody.</source>
        <translation>其中没有你写的内容，因此你不能为所有人抹除。</translation>
    </message>
    <message>
        <source>Ask an owner or admin of the project, who may erase what others wrote.</source>
        <translation>请询问项目的所有者或管理员，他们可以抹除他人所写的内容。</translation>
    </message>
    <message>
        <source>Your role in this project does not permit it. Ask one of its owners for another role, then try again.</source>
        <translation>你在此项目中的角色不允许这样做。请向一位所有者要求其他角色，然后重试。</translation>
    </message>
    <message>
        <source>The thread or message that this belongs to is not on the team&apos;s server. Copy the text out to keep it elsewhere.</source>
        <translation>它所属的对话或消息不在团队的服务器上。请将文字复制出来以保存在别处。</translation>
    </message>
    <message>
        <source>The team&apos;s server has something else in this place. Copy it out to keep it elsewhere.</source>
        <translation>团队的服务器在此处有别的内容。请复制出来以保存在别处。</translation>
    </message>
    <message>
        <source>This is larger than the {max_body_bytes} MB that the team&apos;s server takes in one change. Copy it out, or write it in parts.</source>
        <translation>它超过了团队的服务器一次更改所接受的 {max_body_bytes} MB。请复制出来，或分几部分写。</translation>
    </message>
    <message>
        <source>Another member wrote something else here at the same time, which everybody sees. Try again to put this in its place, or copy it out.</source>
        <translation>另一位成员同时在这里写了别的内容，所有人看到的是那个。请重试以用此内容替换它，或将其复制出来。</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take this. Try again, or copy it out.</source>
        <translation>团队的服务器没有接受它。请重试，或复制出来。</translation>
    </message>
    <message>
        <source>There is no text in these changes that could be copied.</source>
        <translation>这些更改中没有可复制的文字。</translation>
    </message>
    <message>
        <source>This project is shared already.</source>
        <translation>此项目已共享。</translation>
    </message>
    <message>
        <source>{deleted_by} deleted this thread; it is back because {by} wrote in it at the same time.</source>
        <translation>{deleted_by} 删除了此对话；由于 {by} 同时在其中写入，它又回来了。</translation>
    </message>
    <message>
        <source>{deleted_by} deleted a message here; it is back because {by} wrote below it at the same time.</source>
        <translation>{deleted_by} 删除了这里的一条消息；由于 {by} 同时在其下方写入，它又回来了。</translation>
    </message>
    <message>
        <source>Messages are kept for 1 to {longest_retention_days} days.</source>
        <translation>消息保留 1 到 {longest_retention_days} 天。</translation>
    </message>
    <message>
        <source>The daily backup was not made: it needs {needed} MB, {free} MB are free.</source>
        <translation>未进行每日备份：需要 {needed} MB，可用 {free} MB。</translation>
    </message>
    <message>
        <source>Your messages are kept, and so are the older backups.</source>
        <translation>消息已保留，较旧的备份也已保留。</translation>
    </message>
    <message>
        <source>Free some space; ChatDesk tries again within the hour.</source>
        <translation>请释放一些空间；ChatDesk 会在一小时内重试。</translation>
    </message>
    <message>
        <source>no backup</source>
        <translation>没有备份</translation>
    </message>
    <message>
        <source>Your messages and the older backups are unchanged.</source>
        <translation>你的消息和较早的备份没有变化。</translation>
    </message>
    <message>
        <source>Check the disk; ChatDesk tries again within the hour.</source>
        <translation>请检查磁盘；ChatDesk 会在一小时内重试。</translation>
    </message>
    <message>
        <source>{name} is not a complete backup of ChatDesk.</source>
        <translation>{name} 不是完整的 ChatDesk 备份。</translation>
    </message>
    <message>
        <source>Choose another backup.</source>
        <translation>请选择其他备份。</translation>
    </message>
    <message>
        <source>There is no backup at {path}.</source>
        <translation>{path} 处没有备份。</translation>
    </message>
    <message>
        <source>The daily check found damage in the database file.</source>
        <translation>每日检查发现数据库文件有损坏。</translation>
    </message>
    <message>
        <source>Nothing was changed, and what you see can still be read; there is no backup yet.</source>
        <translation>未做任何更改，看到的内容仍可读取；还没有备份。</translation>
    </message>
    <message>
        <source>Export the threads you need, then run &apos;chatdesk doctor&apos; for details.</source>
        <translation>请导出需要的对话，然后运行 &apos;chatdesk doctor&apos; 查看详情。</translation>
    </message>
    <message>
        <source>Nothing was changed. The newest good backup is {path}.</source>
        <translation>未做任何更改。最新的完好备份是 {path}。</translation>
    </message>
    <message>
        <source>Export what is newer than that, then restore the backup: Settings, Data and backup, or &apos;chatdesk restore&apos;.</source>
        <translation>请导出比它新的内容，然后恢复备份：“设置”的“数据与备份”，或 &apos;chatdesk restore&apos;。</translation>
    </message>
    <message>
        <source>Project {project} is in the trash, but not all of its threads are.</source>
        <translation>项目 {project} 在回收站中，但并非其所有对话都在。</translation>
    </message>
    <message>
        <source>Messages of thread {thread} are out of place.</source>
        <translation>对话 {thread} 的消息位置有误。</translation>
    </message>
    <message>
        <source>In thread {thread} a message that is chosen below another is not below it.</source>
        <translation>对话 {thread} 中，在某条消息下选定的消息并不在其下。</translation>
    </message>
    <message>
        <source>The choice of shown messages of thread {thread} is broken.</source>
        <translation>对话 {thread} 中显示哪些消息的选择已损坏。</translation>
    </message>
    <message>
        <source>The file of part {part} is missing in the list of files.</source>
        <translation>部分 {part} 的文件不在文件列表中。</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects with threads outside the trash were taken out of the trash.</source>
        <comment>{count} project with threads outside the trash was taken out of the trash.</comment>
        <translation>
            <numerusform>已将 {count} 个在回收站外仍有对话的项目移出回收站。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The messages of {count} threads were put in their places again.</source>
        <comment>The messages of {count} thread were put in their places again.</comment>
        <translation>
            <numerusform>{count} 个对话的消息已重新归位。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Choices of versions that led nowhere were removed in {count} threads.</source>
        <comment>Choices of versions that led nowhere were removed in {count} thread.</comment>
        <translation>
            <numerusform>已在 {count} 个对话中移除无效的版本选择。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The choice of shown messages was repaired in {count} threads.</source>
        <comment>The choice of shown messages was repaired in {count} thread.</comment>
        <translation>
            <numerusform>已修复 {count} 个对话中显示哪些消息的选择。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} attached files were entered in the list of files again, from which they were missing.</source>
        <comment>{count} attached file was entered in the list of files again, from which it was missing.</comment>
        <translation>
            <numerusform>已将文件列表中缺失的 {count} 个附件重新登记。</numerusform>
        </translation>
    </message>
    <message>
        <source>The database as it was before the repair is kept at {kept}.</source>
        <translation>修复前的数据库保留在 {kept}。</translation>
    </message>
    <message>
        <source>Nothing was wrong.</source>
        <translation>没有问题。</translation>
    </message>
    <message>
        <source>The file is too damaged for SQLite to check it.</source>
        <translation>文件损坏过重，SQLite 无法检查。</translation>
    </message>
    <message>
        <source>The search index was rebuilt; it is filled in the background.</source>
        <translation>搜索索引已重建；内容会在后台填充。</translation>
    </message>
    <message numerus="yes">
        <source>The last shown message was determined again in {count} threads.</source>
        <comment>The last shown message was determined again in {count} thread.</comment>
        <translation>
            <numerusform>已重新确定 {count} 个对话中最后显示的消息。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The counters of {count} threads were corrected.</source>
        <comment>The counters of {count} thread were corrected.</comment>
        <translation>
            <numerusform>已更正 {count} 个对话的计数。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads whose project is missing were moved to a private project.</source>
        <comment>{count} thread whose project is missing was moved to a private project.</comment>
        <translation>
            <numerusform>已将 {count} 个项目缺失的对话移到私有项目中。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages whose previous message is missing now begin a version of their own.</source>
        <comment>{count} message whose previous message is missing now begins a version of its own.</comment>
        <translation>
            <numerusform>{count} 条缺少前一条消息的消息现在各自开始一个版本。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} drafts whose thread is missing were added to the draft of a new thread.</source>
        <comment>{count} draft whose thread is missing was added to the draft of a new thread.</comment>
        <translation>
            <numerusform>已将 {count} 份缺少对话的草稿加入新对话的草稿中。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} rows of {table} that belonged to nothing were removed.</source>
        <comment>{count} row of {table} that belonged to nothing was removed.</comment>
        <translation>
            <numerusform>已移除 {table} 中 {count} 行无归属的数据。</numerusform>
        </translation>
    </message>
    <message>
        <source>The search index is damaged.</source>
        <translation>搜索索引已损坏。</translation>
    </message>
    <message>
        <source>The file itself is damaged (problems found: {found}), so nothing was changed in it.</source>
        <translation>文件本身已损坏（发现的问题：{found}），因此未作任何更改。</translation>
    </message>
    <message>
        <source>It was left as it is; a backup may still have the original.</source>
        <translation>已保持原样；备份中可能仍有原件。</translation>
    </message>
    <message>
        <source>A backup made with &apos;chatdesk backup FILE&apos; contains it, if it was made in time.</source>
        <translation>若及时用 &apos;chatdesk backup FILE&apos; 制作过备份，其中会包含它。</translation>
    </message>
    <message>
        <source>It could not be repaired.</source>
        <translation>无法修复。</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads that had lost title and settings are called “{recovered_title}”.</source>
        <comment>{count} thread that had lost title and settings is called “{recovered_title}”.</comment>
        <translation>
            <numerusform>{count} 个丢失标题和设置的对话现名为“{recovered_title}”。</numerusform>
        </translation>
    </message>
    <message>
        <source>Press Connect again in Settings, Team sync, or run &apos;chatdesk team join&apos;: then what was lost of shared projects is fetched from the team&apos;s server as far as it is there.</source>
        <translation>请在“设置”的“团队同步”中按“重新连接”，或运行 &apos;chatdesk team join&apos;：共享项目中丢失的内容，只要团队服务器上还有，就会取回。</translation>
    </message>
    <message>
        <source>Restore a backup, or close ChatDesk and run &apos;chatdesk doctor --repair&apos;, which copies what can still be read.</source>
        <translation>请恢复备份，或关闭 ChatDesk 并运行 &apos;chatdesk doctor --repair&apos;，它会复制仍可读取的内容。</translation>
    </message>
    <message>
        <source>{name} needs more time or memory than a backup of its size should, so ChatDesk stopped reading it.</source>
        <translation>{name} 需要的时间或内存超出同等大小备份应有的范围，因此 ChatDesk 停止读取。</translation>
    </message>
    <message>
        <source>Checking the backup needs up to {needed} MB; {free} MB are free.</source>
        <translation>检查备份最多需要 {needed} MB；可用空间为 {free} MB。</translation>
    </message>
    <message>
        <source>{name} would fill the disk if it were unpacked, so it was not.</source>
        <translation>{name} 解压后会占满磁盘，因此没有解压。</translation>
    </message>
    <message>
        <source>There is not enough room on the disk for the contents of the backup.</source>
        <translation>磁盘上没有足够的空间存放备份的内容。</translation>
    </message>
    <message>
        <source>This backup was written by a newer ChatDesk.</source>
        <translation>此备份由较新的 ChatDesk 写入。</translation>
    </message>
    <message>
        <source>Update ChatDesk to restore it.</source>
        <translation>请更新 ChatDesk 以恢复它。</translation>
    </message>
    <message>
        <source>{name} contains something that ChatDesk did not put there: {first}{more}.</source>
        <translation>{name} 包含不是 ChatDesk 放入的内容：{first}{more}。</translation>
    </message>
    <message>
        <source>{name} is damaged: some messages are replies to themselves.</source>
        <translation>{name} 已损坏：某些消息是对其自身的回复。</translation>
    </message>
    <message>
        <source>the column {column} of the table {table}</source>
        <translation>表 {table} 的列 {column}</translation>
    </message>
    <message>
        <source>the table {table}</source>
        <translation>表 {table}</translation>
    </message>
    <message>
        <source>{name} is not a complete backup of ChatDesk: {lack} is missing.</source>
        <translation>{name} 不是完整的 ChatDesk 备份：缺少{lack}。</translation>
    </message>
    <message>
        <source>Nothing could be read from the damaged database.</source>
        <translation>无法从损坏的数据库中读取任何内容。</translation>
    </message>
    <message>
        <source>It was left as it is.</source>
        <translation>它保持原样。</translation>
    </message>
    <message>
        <source>Restore the newest backup.</source>
        <translation>请恢复最新的备份。</translation>
    </message>
    <message>
        <source>Messages that could not be read but whose text was recovered in place: {placed}.</source>
        <translation>无法读取但文字已在原处恢复的消息：{placed}。</translation>
    </message>
    <message>
        <source>Recovered texts whose messages are lost, now in the thread “{title}”: {apart}.</source>
        <translation>消息已丢失、现放在对话“{title}”中的已恢复文字：{apart}。</translation>
    </message>
    <message>
        <source>Putting in order what was copied…</source>
        <translation>正在整理已复制的内容…</translation>
    </message>
    <message>
        <source>Problems that are left: {wrong}; &apos;chatdesk doctor&apos; lists them.</source>
        <translation>剩余的问题：{wrong}；&apos;chatdesk doctor&apos; 可列出它们。</translation>
    </message>
    <message>
        <source>{name}: the table could not be found in the file.</source>
        <translation>{name}：在文件中找不到该表。</translation>
    </message>
    <message>
        <source>{name}: the table had lost its definition.</source>
        <translation>{name}：该表丢失了定义。</translation>
    </message>
    <message>
        <source>Reading {name}: {number} rows…</source>
        <translation>正在读取 {name}：{number} 行…</translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows had values that could not be read.</source>
        <comment>{name}: {count} row had values that could not be read.</comment>
        <translation>
            <numerusform>{name}：{count} 行含有无法读取的值。</numerusform>
        </translation>
    </message>
    <message>
        <source>{name}: this is not a table of ChatDesk, so it was left out.</source>
        <translation>{name}：这不是 ChatDesk 的表，因此未包含。</translation>
    </message>
    <message numerus="yes">
        <source>{count} places</source>
        <comment>{count} place</comment>
        <translation>
            <numerusform>{count} 处</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows were copied; {places} could not be read.</source>
        <comment>{name}: {count} row was copied; {places} could not be read.</comment>
        <translation>
            <numerusform>{name}：已复制 {count} 行；{places}无法读取。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows were copied; {left_out} that are there twice or make no sense were not.</source>
        <comment>{name}: {count} row was copied; {left_out} that are there twice or make no sense were not.</comment>
        <translation>
            <numerusform>{name}：已复制 {count} 行；{left_out} 行重复或无意义，未复制。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: all {count} rows were copied.</source>
        <comment>{name}: the {count} row was copied.</comment>
        <translation>
            <numerusform>{name}：全部 {count} 行已复制。</numerusform>
        </translation>
    </message>
    <message>
        <source>The invitation names the server “{host}”, which only this computer reaches. Give the workspace a name or IP address that others reach before you invite anybody: Settings, Team sync, Address.</source>
        <translation>邀请中的服务器“{host}”只有此计算机能访问。在邀请任何人之前，请为工作区设置他人能访问的名称或 IP 地址：“设置”的“团队同步”中的“地址”。</translation>
    </message>
    <message>
        <source>The invitation names the server “{host}”, which is found in your own network only. Whoever is elsewhere needs a way into it, such as a VPN.</source>
        <translation>邀请中的服务器“{host}”只能在你自己的网络中找到。在别处的人需要通路，例如 VPN。</translation>
    </message>
    <message>
        <source>That is not the address of a Postgres database.</source>
        <translation>这不是 Postgres 数据库的地址。</translation>
    </message>
    <message>
        <source>It looks like postgresql://name:password@db.example.org:5432/team; the server&apos;s operator shows it.</source>
        <translation>它形如 postgresql://name:password@db.example.org:5432/team；服务器的运营者会显示它。</translation>
    </message>
    <message>
        <source>“{host}” is neither the name nor the IP address of a server.</source>
        <translation>“{host}”既不是服务器名称也不是 IP 地址。</translation>
    </message>
    <message>
        <source>A port is a number from 1 to 65535.</source>
        <translation>端口是 1 到 65535 的数字。</translation>
    </message>
    <message>
        <source>The name of the database is missing, or has characters that ChatDesk does not accept.</source>
        <translation>缺少数据库名称，或其中有 ChatDesk 不接受的字符。</translation>
    </message>
    <message>
        <source>The name of the login is missing, or has characters that ChatDesk does not accept.</source>
        <translation>缺少登录名，或其中有 ChatDesk 不接受的字符。</translation>
    </message>
    <message>
        <source>ChatDesk does not know this kind of encryption.</source>
        <translation>ChatDesk 不支持此种加密。</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s daily limit of text for each member.</source>
        <translation>你今天发送的文字已达到工作区允许每个成员发送的量。</translation>
    </message>
    <message>
        <source>This project has reached the workspace&apos;s daily limit of text for each project.</source>
        <translation>今天发送到此项目的文字已达到工作区允许每个项目接收的量。</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s daily limit of files for each member.</source>
        <translation>你今天发送的文件已达到工作区允许每个成员发送的量。</translation>
    </message>
    <message>
        <source>This project has reached the workspace&apos;s daily limit of files for each project.</source>
        <translation>今天发送到此项目的文件已达到工作区允许每个项目接收的量。</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s limit of changes a minute for each member.</source>
        <translation>你在这一分钟内发送的更改已达到工作区允许每个成员发送的量。</translation>
    </message>
    <message>
        <source>ChatDesk continues by itself tomorrow (UTC). An owner of the workspace can raise the limit.</source>
        <translation>ChatDesk 明天（UTC）会自行继续。工作区的所有者可以提高限额。</translation>
    </message>
    <message>
        <source>ChatDesk continues by itself in a minute.</source>
        <translation>ChatDesk 一分钟后会自行继续。</translation>
    </message>
    <message>
        <source>The workspace has reached its limit of members.</source>
        <translation>工作区的成员数已达上限。</translation>
    </message>
    <message>
        <source>An owner of the workspace can raise the limit, or remove somebody.</source>
        <translation>工作区的所有者可以提高限额，或移除某人。</translation>
    </message>
    <message>
        <source>The workspace has reached its limit of open invitations.</source>
        <translation>未使用的邀请数已达工作区的上限。</translation>
    </message>
    <message>
        <source>Withdraw some, or wait until they expire. An owner of the workspace can raise the limit.</source>
        <translation>请撤回一些，或等它们到期。工作区的所有者可以提高限额。</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s limit of shared projects for each member.</source>
        <translation>你共享的项目数已达到工作区允许每个成员共享的数目。</translation>
    </message>
    <message>
        <source>An owner of the workspace can raise the limit.</source>
        <translation>工作区的所有者可以提高限额。</translation>
    </message>
    <message>
        <source>What the team&apos;s server sends does not fit what it sent before.</source>
        <translation>团队服务器发送的内容与它之前发送的不符。</translation>
    </message>
    <message>
        <source>What was received before stays readable, and everything you wrote is kept on this computer.</source>
        <translation>此前收到的内容仍可阅读，你写的一切都保留在此计算机上。</translation>
    </message>
    <message>
        <source>The team&apos;s database cannot be reached.</source>
        <translation>无法访问团队的数据库。</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself.</source>
        <translation>ChatDesk 会自行重试。</translation>
    </message>
    <message>
        <source>The team&apos;s database is busy with another member&apos;s change.</source>
        <translation>团队的数据库正忙于另一个成员的更改。</translation>
    </message>
    <message>
        <source>The team&apos;s database waits for an unfinished change of {by}.</source>
        <translation>团队的数据库在等待 {by} 未完成的更改。</translation>
    </message>
    <message>
        <source>{next_step} If it stays so, an owner of the workspace can end their connections.</source>
        <translation>{next_step} 如果仍然如此，工作区的所有者可以结束其连接。</translation>
    </message>
    <message>
        <source>A limit of the workspace is reached.</source>
        <translation>已达到工作区的一项限额。</translation>
    </message>
    <message>
        <source>An owner of the workspace can change it.</source>
        <translation>工作区的所有者可以更改它。</translation>
    </message>
    <message>
        <source>Another member of the workspace has this name.</source>
        <translation>工作区的另一个成员已使用此名称。</translation>
    </message>
    <message>
        <source>Choose a name that tells you apart.</source>
        <translation>请选择能区分你们的名称。</translation>
    </message>
    <message>
        <source>This address leads to another team&apos;s database than the one you joined.</source>
        <translation>此地址指向的团队数据库与你加入的不同。</translation>
    </message>
    <message>
        <source>Ask the workspace&apos;s owner for the address, or join the other workspace on its own.</source>
        <translation>请向工作区的所有者询问地址，或单独加入另一个工作区。</translation>
    </message>
    <message>
        <source>The password for the team&apos;s database cannot be found on this computer.</source>
        <translation>在此计算机上找不到团队数据库的密码。</translation>
    </message>
    <message>
        <source>Unlock the keyring, or enter the password in Settings, Team sync.</source>
        <translation>请解锁密钥环，或在“设置”的“团队同步”中输入密码。</translation>
    </message>
    <message>
        <source>This address leads to a pooler that gives each transaction another connection.</source>
        <translation>此地址通向一个为每个事务分配不同连接的连接池。</translation>
    </message>
    <message>
        <source>Use the server&apos;s direct port, or session pooling.</source>
        <translation>请使用服务器的直连端口，或会话级连接池。</translation>
    </message>
    <message>
        <source>The team&apos;s database did not answer in time.</source>
        <translation>团队的数据库没有及时响应。</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database was not found under its name.</source>
        <translation>按名称找不到团队数据库的服务器。</translation>
    </message>
    <message>
        <source>Check the name and your network. ChatDesk tries again by itself.</source>
        <translation>请检查名称和网络。ChatDesk 会自行重试。</translation>
    </message>
    <message>
        <source>The team&apos;s database takes no more connections at the moment.</source>
        <translation>团队的数据库目前不再接受连接。</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself. If it stays so, the server&apos;s max_connections is too small.</source>
        <translation>ChatDesk 会自行重试。如果仍然如此，说明服务器的 max_connections 太小。</translation>
    </message>
    <message>
        <source>The team&apos;s database cannot be written to at the moment: its server is a standby, or was made read-only.</source>
        <translation>目前无法写入团队的数据库：其服务器是备用服务器，或已设为只读。</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself. If it stays so, tell whoever runs the server.</source>
        <translation>ChatDesk 会自行重试。如果仍然如此，请告知服务器的管理者。</translation>
    </message>
    <message>
        <source>The disk of the team&apos;s server is full.</source>
        <translation>团队服务器的磁盘已满。</translation>
    </message>
    <message>
        <source>Tell whoever runs the server. ChatDesk tries again by itself.</source>
        <translation>请告知服务器的管理者。ChatDesk 会自行重试。</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take the password: it is wrong, or it has expired.</source>
        <translation>团队的服务器没有接受密码：密码错误或已过期。</translation>
    </message>
    <message>
        <source>Enter the password again, or ask the workspace&apos;s owner for a new invitation.</source>
        <translation>请重新输入密码，或向工作区的所有者要求新的邀请。</translation>
    </message>
    <message>
        <source>Your login to the team&apos;s database was closed: you are no longer a member of this workspace.</source>
        <translation>你对团队数据库的登录已关闭：你不再是此工作区的成员。</translation>
    </message>
    <message>
        <source>If this is a mistake, ask the workspace&apos;s owner for a new invitation.</source>
        <translation>如果这是误会，请向工作区的所有者要求新的邀请。</translation>
    </message>
    <message>
        <source>This login is not a member of the workspace.</source>
        <translation>此登录名不是工作区的成员。</translation>
    </message>
    <message>
        <source>Ask the workspace&apos;s owner for an invitation.</source>
        <translation>请向工作区的所有者要求邀请。</translation>
    </message>
    <message>
        <source>The invitation was not accepted in time, or not at all.</source>
        <translation>邀请未及时接受，或根本未接受。</translation>
    </message>
    <message>
        <source>Accept it, or ask the workspace&apos;s owner for a new one.</source>
        <translation>请接受它，或向工作区的所有者要求新的邀请。</translation>
    </message>
    <message>
        <source>The invitation was used already, or withdrawn; each is good once.</source>
        <translation>邀请已被使用或撤回；每个邀请只能用一次。</translation>
    </message>
    <message>
        <source>If you joined on another computer, add this one there. If it was not you who used it, tell the workspace&apos;s owner, who can remove that member; then ask for a new one.</source>
        <translation>如果你在另一台计算机上加入，请在那里添加这一台。如果使用它的不是你，请告知工作区的所有者，由其移除该成员；然后要求新的邀请。</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database does not speak TLS, so what you write would be sent unencrypted.</source>
        <translation>团队数据库的服务器不支持 TLS，因此你所写的内容会未加密发送。</translation>
    </message>
    <message>
        <source>Ask whoever runs the server to turn TLS on. Nothing was sent.</source>
        <translation>请让服务器的管理者开启 TLS。未发送任何内容。</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database refuses connections of this kind from this computer.</source>
        <translation>团队数据库的服务器拒绝来自此计算机的这类连接。</translation>
    </message>
    <message>
        <source>Turn TLS on for this address, or ask whoever runs the server to let this computer in.</source>
        <translation>请为此地址开启 TLS，或让服务器的管理者允许此计算机接入。</translation>
    </message>
    <message>
        <source>This computer does not trust the certificate of the team&apos;s server for that server&apos;s name.</source>
        <translation>此计算机不信任团队服务器的证书可用于该服务器的名称。</translation>
    </message>
    <message>
        <source>Somebody may be intercepting the connection. Ask whoever runs the server for its certificate. Nothing was sent.</source>
        <translation>可能有人在拦截连接。请向服务器的管理者要求其证书。未发送任何内容。</translation>
    </message>
    <message>
        <source>The server asked for the password itself instead of a proof that you know it, so ChatDesk did not send it.</source>
        <translation>服务器要求的是密码本身，而不是你知道密码的证明，因此 ChatDesk 没有发送。</translation>
    </message>
    <message>
        <source>It may not be the team&apos;s server. Ask whoever runs it; its passwords have to be scram-sha-256.</source>
        <translation>它可能不是团队的服务器。请询问其管理者；其密码必须为 scram-sha-256。</translation>
    </message>
    <message>
        <source>There is no such database on the team&apos;s server.</source>
        <translation>团队的服务器上没有这样的数据库。</translation>
    </message>
    <message>
        <source>Check the name of the database.</source>
        <translation>请检查数据库的名称。</translation>
    </message>
    <message>
        <source>There is no workspace of ChatDesk in this database.</source>
        <translation>此数据库中没有 ChatDesk 的工作区。</translation>
    </message>
    <message>
        <source>Check the address, or create a workspace there.</source>
        <translation>请检查地址，或在那里创建工作区。</translation>
    </message>
    <message>
        <source>The database is not empty, and a workspace needs one for itself.</source>
        <translation>数据库不为空，而工作区需要独占一个数据库。</translation>
    </message>
    <message>
        <source>Create an empty database and give its address. Nothing was changed.</source>
        <translation>请创建一个空数据库并给出其地址。未做任何更改。</translation>
    </message>
    <message>
        <source>The server is older than PostgreSQL 15.</source>
        <translation>服务器早于 PostgreSQL 15。</translation>
    </message>
    <message>
        <source>A workspace needs PostgreSQL 15 or newer. Nothing was changed.</source>
        <translation>工作区需要 PostgreSQL 15 或更新版本。未做任何更改。</translation>
    </message>
    <message>
        <source>The workspace was upgraded by a newer ChatDesk than this one.</source>
        <translation>工作区已由比此程序更新的 ChatDesk 升级。</translation>
    </message>
    <message>
        <source>Update ChatDesk to continue; until then, what you change waits here.</source>
        <translation>请更新 ChatDesk 以继续；在此之前，你的更改在此等待。</translation>
    </message>
    <message>
        <source>The team&apos;s database is of an older ChatDesk than this one.</source>
        <translation>团队的数据库属于比此版本更旧的 ChatDesk。</translation>
    </message>
    <message>
        <source>An owner upgrades it: &apos;chatdesk team upgrade&apos;, or upgrade.sql. Until then, what you change waits here.</source>
        <translation>由所有者升级：“chatdesk team upgrade”或 upgrade.sql。在此之前，你的更改会在此等待。</translation>
    </message>
    <message>
        <source>This profile, or a copy of it, was put in the place of another one, so it no longer syncs.</source>
        <translation>此配置文件或它的副本被放到了另一个配置文件的位置，因此不再同步。</translation>
    </message>
    <message>
        <source>Press Connect again in Settings, Team sync, or run &apos;chatdesk team join&apos;. What waits here is sent then.</source>
        <translation>请在“设置”的“团队同步”中按“重新连接”，或运行 &apos;chatdesk team join&apos;。在此等待的内容届时会发送。</translation>
    </message>
    <message>
        <source>Tell the people who run the server. Nothing was changed.</source>
        <translation>请告知服务器的管理者。未做任何更改。</translation>
    </message>
    <message>
        <source>The workspace does not, or no longer, know this computer.</source>
        <translation>工作区（已）不认识此计算机。</translation>
    </message>
    <message>
        <source>This login may not do what setting up a workspace takes: own the database and create roles in it.</source>
        <translation>此登录名无权进行设置工作区所需的操作：拥有数据库并在其中创建角色。</translation>
    </message>
    <message>
        <source>ChatDesk asks again by itself. Tell the people who run the server.</source>
        <translation>ChatDesk 会自行再次询问。请告知服务器的管理者。</translation>
    </message>
    <message>
        <source>Use a login that owns the database and has CREATEROLE. Nothing was changed.</source>
        <translation>请使用拥有数据库且有 CREATEROLE 的登录名。未做任何更改。</translation>
    </message>
    <message>
        <source>The project was deleted for everybody by its owner.</source>
        <translation>项目已被所有者为所有人删除。</translation>
    </message>
    <message>
        <source>Your copy stays here as a private project.</source>
        <translation>你的副本作为私有项目留在此处。</translation>
    </message>
    <message>
        <source>You are no longer in this project.</source>
        <translation>你已不在此项目中。</translation>
    </message>
    <message>
        <source>Your copy stays here as a private project. To come back, ask one of its owners.</source>
        <translation>你的副本作为私有项目留在此处。如要回来，请询问一位所有者。</translation>
    </message>
    <message>
        <source>ChatDesk registers it again by itself.</source>
        <translation>ChatDesk 会自行重新登记它。</translation>
    </message>
    <message>
        <source>Your role does not permit this.</source>
        <translation>你的角色不允许这样做。</translation>
    </message>
    <message>
        <source>Ask an owner of the project or of the workspace. Nothing was changed.</source>
        <translation>请询问项目或工作区的所有者。未做任何更改。</translation>
    </message>
    <message>
        <source>There must always be an owner.</source>
        <translation>必须始终有一位所有者。</translation>
    </message>
    <message>
        <source>Make somebody else owner first. Nothing was changed.</source>
        <translation>请先让他人成为所有者。未做任何更改。</translation>
    </message>
    <message>
        <source>The team&apos;s database did not take a value.</source>
        <translation>团队的数据库没有接受某个值。</translation>
    </message>
    <message>
        <source>Check what you typed. Nothing was changed.</source>
        <translation>请检查输入的内容。未做任何更改。</translation>
    </message>
    <message>
        <source>By now the server misses other changes of this project than those, or none.</source>
        <translation>现在服务器缺少的是这个项目的其他更改，或者已不缺少。</translation>
    </message>
    <message>
        <source>Check against the server again. Nothing was changed.</source>
        <translation>请再次与服务器核对。未做任何更改。</translation>
    </message>
    <message>
        <source>Changes of this project were not only lost on the server, but rewritten as well.</source>
        <translation>服务器上这个项目的更改不仅丢失了，还被改写了。</translation>
    </message>
    <message>
        <source>This person has not accepted the invitation yet.</source>
        <translation>此人尚未接受邀请。</translation>
    </message>
    <message>
        <source>Try it again when they have joined. Nothing was changed.</source>
        <translation>请在其加入后重试。没有更改任何内容。</translation>
    </message>
    <message>
        <source>This person is not, or no longer, a member of the workspace.</source>
        <translation>此人不是或不再是工作区的成员。</translation>
    </message>
    <message>
        <source>Invite them first. Nothing was changed.</source>
        <translation>请先邀请。没有更改任何内容。</translation>
    </message>
    <message>
        <source>That exists already and is another member&apos;s.</source>
        <translation>它已存在，且属于另一个成员。</translation>
    </message>
    <message>
        <source>The file is no longer on the computer that sent the message.</source>
        <translation>该文件已不在发送消息的计算机上。</translation>
    </message>
    <message>
        <source>The team&apos;s database does not have the file (yet).</source>
        <translation>团队的数据库（还）没有该文件。</translation>
    </message>
    <message>
        <source>The team&apos;s database has a different file under this name.</source>
        <translation>团队的数据库中此名称下是另一个文件。</translation>
    </message>
    <message>
        <source>The file is larger than ChatDesk takes from a team.</source>
        <translation>该文件超过 ChatDesk 从团队接受的大小。</translation>
    </message>
    <message>
        <source>A shared file could not be saved: {reason}.</source>
        <translation>无法保存共享文件：{reason}。</translation>
    </message>
    <message>
        <source>Make room on the disk; ChatDesk tries again by itself.</source>
        <translation>请腾出磁盘空间；ChatDesk 会自行重试。</translation>
    </message>
    <message>
        <source>That is not an invitation to a workspace.</source>
        <translation>这不是工作区的邀请。</translation>
    </message>
    <message>
        <source>Paste the whole code or link, or open the file that you were given.</source>
        <translation>请粘贴完整的代码或链接，或打开给你的文件。</translation>
    </message>
    <message>
        <source>The invitation is cut off: its end is missing.</source>
        <translation>邀请被截断：缺少结尾。</translation>
    </message>
    <message>
        <source>Copy all of it, or ask for it as a file.</source>
        <translation>请完整复制，或要求以文件形式提供。</translation>
    </message>
    <message>
        <source>The invitation was changed on its way: it is not what was sent.</source>
        <translation>邀请在途中被更改：它与写入时不同。</translation>
    </message>
    <message>
        <source>Copy it again from where you got it, or ask for it as a file.</source>
        <translation>请从来源处重新复制，或要求以文件形式提供。</translation>
    </message>
    <message>
        <source>The invitation was made by a newer ChatDesk.</source>
        <translation>邀请由较新的 ChatDesk 创建。</translation>
    </message>
    <message>
        <source>Install the newest ChatDesk, then open it again.</source>
        <translation>请安装最新的 ChatDesk，然后重新打开。</translation>
    </message>
    <message>
        <source>The passphrase does not open this code.</source>
        <translation>该密码短语无法打开此代码。</translation>
    </message>
    <message>
        <source>Type it as it is shown on the other computer, three groups of four characters.</source>
        <translation>请按另一台计算机上的显示输入，三组，每组四个字符。</translation>
    </message>
    <message>
        <source>This profile is not in that workspace.</source>
        <translation>此配置不在该工作区中。</translation>
    </message>
    <message>
        <source>Join it in Settings, Team sync.</source>
        <translation>请在“设置”的“团队同步”中加入。</translation>
    </message>
    <message>
        <source>An invitation is good for 1 to {longest_days} days.</source>
        <translation>邀请的有效期为 1 到 {longest_days} 天。</translation>
    </message>
    <message>
        <source>Choose fewer days.</source>
        <translation>请选择较少的天数。</translation>
    </message>
    <message>
        <source>You cannot remove yourself.</source>
        <translation>你不能移除自己。</translation>
    </message>
    <message>
        <source>Leave the workspace instead.</source>
        <translation>请改为离开工作区。</translation>
    </message>
    <message>
        <source>Share it first.</source>
        <translation>请先共享它。</translation>
    </message>
    <message>
        <source>The code has expired.</source>
        <translation>代码已过期。</translation>
    </message>
    <message>
        <source>Make a new one on your other computer.</source>
        <translation>请在另一台计算机上创建新代码。</translation>
    </message>
    <message>
        <source>If you began to set up a workspace here, setting it up again finishes that.</source>
        <translation>如果你曾在这里开始设置工作区，再次设置即可完成。</translation>
    </message>
    <message>
        <source>The password of this workspace is not known here.</source>
        <translation>此处不知道此工作区的密码。</translation>
    </message>
    <message>
        <source>The password comes from an environment variable, so ChatDesk cannot change it.</source>
        <translation>密码来自环境变量，因此 ChatDesk 无法更改它。</translation>
    </message>
    <message>
        <source>Remove the variable, type the password once, and change it then.</source>
        <translation>请移除该变量，输入一次密码，然后再更改。</translation>
    </message>
    <message>
        <source>The invitation has expired.</source>
        <translation>邀请已过期。</translation>
    </message>
    <message>
        <source>Ask whoever invited you for a new one.</source>
        <translation>请向邀请你的人要求新的邀请。</translation>
    </message>
    <message>
        <source>This code no longer opens the team&apos;s database: the password was changed, or you were removed.</source>
        <translation>此代码已无法打开团队的数据库：密码已更改，或你已被移除。</translation>
    </message>
    <message>
        <source>Make a new code on a computer that still syncs, or ask the workspace&apos;s owner.</source>
        <translation>请在仍能同步的计算机上创建新代码，或询问工作区的所有者。</translation>
    </message>
    <message>
        <source>This profile is in that workspace already.</source>
        <translation>此配置已在该工作区中。</translation>
    </message>
    <message>
        <source>Settings, Team sync shows its state.</source>
        <translation>“设置”的“团队同步”会显示其状态。</translation>
    </message>
    <message>
        <source>This server has no encryption: everybody on the way can read and change what is sent, passwords too.</source>
        <translation>此服务器没有加密：途中的任何人都能读取和更改发送的内容，包括密码。</translation>
    </message>
    <message>
        <source>Ask for a server with TLS; agree only on this computer or in a network of your own.</source>
        <translation>请要求使用带 TLS 的服务器；仅在此计算机上或自己的网络中才同意。</translation>
    </message>
    <message>
        <source>This server is not in a network of your own, so ChatDesk speaks to it with encryption only.</source>
        <translation>此服务器不在你自己的网络中，因此 ChatDesk 只以加密方式与它通信。</translation>
    </message>
    <message>
        <source>Switch TLS on at the server; docs/team-administration.md says how.</source>
        <translation>请在服务器上开启 TLS；docs/team-administration.md 说明了方法。</translation>
    </message>
    <message>
        <source>A name has 1 to 80 characters on one line.</source>
        <translation>名称为一行内的 1 到 80 个字符。</translation>
    </message>
    <message>
        <source>Type another one.</source>
        <translation>请输入另一个。</translation>
    </message>
    <message>
        <source>This code is for a further computer of yours and sealed with a passphrase.</source>
        <translation>此代码用于你的另一台计算机，并用密码短语封装。</translation>
    </message>
    <message>
        <source>Type the passphrase that is shown beside the code.</source>
        <translation>请输入代码旁显示的密码短语。</translation>
    </message>
    <message>
        <source>A password for a team&apos;s database has {shortest} to {longest} letters, digits and signs of an English keyboard, without spaces.</source>
        <translation>团队数据库的密码有 {shortest} 到 {longest} 个英文键盘上的字母、数字和符号，不含空格。</translation>
    </message>
    <message>
        <source>Choose another one.</source>
        <translation>请选择另一个。</translation>
    </message>
    <message>
        <source>This computer cannot keep the password for the team&apos;s database.</source>
        <translation>此计算机无法保存团队数据库的密码。</translation>
    </message>
    <message>
        <source>Nothing was changed on the server, and the invitation is still good.</source>
        <translation>服务器上未做任何更改，邀请仍然有效。</translation>
    </message>
    <message>
        <source>Unlock or install a keyring, or choose the encrypted file in Settings, Providers; or put a password of your own into the variable {variable} each time before ChatDesk starts.</source>
        <translation>请解锁或安装密钥环，或在“设置”的“提供商”中选择加密文件；或在每次启动 ChatDesk 之前将自己的密码放入变量 {variable}。</translation>
    </message>
    <message>
        <source>The password was given for {kept}, and the workspace is now at {server}: it was not sent there. If the server really moved, say so in Settings, Team sync, Address, or enter the password again.</source>
        <translation>密码是为 {kept} 提供的，而工作区现在位于 {server}：密码未发送到那里。如果服务器确实已迁移，请在“设置”的“团队同步”中的“地址”里说明，或重新输入密码。</translation>
    </message>
    <message>
        <source>The password was kept by an earlier ChatDesk, and the workspace is now at {server}: it was not sent there. If the server really moved, say so in Settings, Team sync, Address, or enter the password again.</source>
        <translation>密码由较早的 ChatDesk 保存，而工作区现在位于 {server}：密码未发送到那里。如果服务器确实已迁移，请在“设置”的“团队同步”中的“地址”里说明，或重新输入密码。</translation>
    </message>
    <message>
        <source>The variable {variable} has a password, and nobody said on this computer that it is for {server}: it was not sent there. If it is, set {server_variable} to {named}, or enter the password.</source>
        <translation>变量 {variable} 中有密码，但此计算机上没有人说明它用于 {server}：因此没有发送到那里。如果确实用于它，请将 {server_variable} 设为 {named}，或输入密码。</translation>
    </message>
    <message>
        <source>This project is shared with another workspace already.</source>
        <translation>此项目已与另一个工作区共享。</translation>
    </message>
    <message>
        <source>Stop sharing it there first.</source>
        <translation>请先在那里停止共享。</translation>
    </message>
    <message>
        <source>Ask one of its owners.</source>
        <translation>请询问一位所有者。</translation>
    </message>
    <message>
        <source>Update ChatDesk.</source>
        <translation>请更新 ChatDesk。</translation>
    </message>
    <message>
        <source>What others write comes up to half a minute late: the server&apos;s notifications do not arrive on this connection.</source>
        <translation>他人所写的内容最多晚半分钟到达：服务器的通知无法通过此连接到达。</translation>
    </message>
    <message>
        <source>Use the server&apos;s direct address, or a pooler in session mode: Settings, Team sync, Address.</source>
        <translation>请使用服务器的直接地址，或会话模式的连接池：“设置”的“团队同步”中的“地址”。</translation>
    </message>
    <message>
        <source>The team&apos;s database needs a newer ChatDesk to write to it; what you write waits on this computer.</source>
        <translation>团队的数据库需要较新的 ChatDesk 才能写入；你所写的内容在此计算机上等待。</translation>
    </message>
    <message>
        <source>The team&apos;s database needs a newer ChatDesk.</source>
        <translation>团队的数据库需要较新的 ChatDesk。</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {span} ahead of the team&apos;s. Nothing is lost by that.</source>
        <translation>这台计算机的时钟比团队的快 {span}。不会因此丢失任何内容。</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {span} behind the team&apos;s. Nothing is lost by that.</source>
        <translation>这台计算机的时钟比团队的慢 {span}。不会因此丢失任何内容。</translation>
    </message>
    <message>
        <source>a moment</source>
        <translation>片刻</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take everything in time.</source>
        <translation>团队的服务器没有及时接受全部内容。</translation>
    </message>
    <message>
        <source>Check the user and the password.</source>
        <translation>请检查用户和密码。</translation>
    </message>
    <message>
        <source>Check the host, and your network.</source>
        <translation>请检查主机和网络。</translation>
    </message>
    <message>
        <source>Choose the certificate that whoever runs the server gives you. Nothing was sent.</source>
        <translation>请选择服务器管理者提供的证书。未发送任何内容。</translation>
    </message>
    <message>
        <source>Check again later. If it stays so, the server&apos;s max_connections is too small.</source>
        <translation>请稍后再检查。如果仍然如此，说明服务器的 max_connections 太小。</translation>
    </message>
    <message>
        <source>Ask whoever runs the server for room, then check again.</source>
        <translation>请让服务器的管理者腾出空间，然后再检查。</translation>
    </message>
    <message>
        <source>Check host, port and network, and that the server runs; then check again.</source>
        <translation>请检查主机、端口和网络，以及服务器是否在运行；然后再检查。</translation>
    </message>
    <message>
        <source>The server answers and takes the login.</source>
        <translation>服务器有响应并接受登录。</translation>
    </message>
    <message>
        <source>create roles (CREATEROLE)</source>
        <translation>创建角色 (CREATEROLE)</translation>
    </message>
    <message>
        <source>change the database, which belongs to another login</source>
        <translation>更改属于另一个登录名的数据库</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>版本</translation>
    </message>
    <message>
        <source>PostgreSQL {version} is too old. Use a server with 15 or newer.</source>
        <translation>PostgreSQL {version} 太旧。请使用 15 或更新版本的服务器。</translation>
    </message>
    <message>
        <source>PostgreSQL {version}.</source>
        <translation>PostgreSQL {version}。</translation>
    </message>
    <message>
        <source>The connection is encrypted (TLS).</source>
        <translation>连接已加密（TLS）。</translation>
    </message>
    <message>
        <source>Not encrypted: anybody on the way can read everything.</source>
        <translation>未加密：中间的任何人都能读取所有内容。</translation>
    </message>
    <message>
        <source>Empty database</source>
        <translation>空数据库</translation>
    </message>
    <message>
        <source>There is a workspace in this database already. Make a new database, or ask its owner for an invitation.</source>
        <translation>此数据库中已有工作区。请创建新数据库，或向其所有者要求邀请。</translation>
    </message>
    <message numerus="yes">
        <source>It is not empty: there are {count} tables and views in it. A workspace needs a database for itself; make a new one.</source>
        <comment>It is not empty: there is {count} table or view in it. A workspace needs a database for itself; make a new one.</comment>
        <translation>
            <numerusform>它不是空的：其中有 {count} 个表和视图。工作区需要自己专用的数据库；请新建一个。</numerusform>
        </translation>
    </message>
    <message>
        <source>The database is empty.</source>
        <translation>数据库为空。</translation>
    </message>
    <message>
        <source>Rights</source>
        <translation>权限</translation>
    </message>
    <message>
        <source>The login may not {lacks}. Use the one that owns the database, with CREATEROLE.</source>
        <translation>该登录名无权{lacks}。请使用拥有数据库且有 CREATEROLE 的登录名。</translation>
    </message>
    <message>
        <source>{one} or {other}</source>
        <translation>{one} 或 {other}</translation>
    </message>
    <message>
        <source>The login owns the database and may create roles.</source>
        <translation>该登录名拥有数据库并可创建角色。</translation>
    </message>
    <message>
        <source>Changes</source>
        <translation>更改</translation>
    </message>
    <message>
        <source>The server takes no changes: it is a standby, or read-only. Use its primary.</source>
        <translation>服务器不接受更改：它是备用服务器或只读。请使用其主服务器。</translation>
    </message>
    <message>
        <source>The database keeps text as {encoding}. Make one with UTF8.</source>
        <translation>数据库以 {encoding} 保存文字。请创建一个使用 UTF8 的数据库。</translation>
    </message>
    <message>
        <source>The database takes changes, and text in every language.</source>
        <translation>数据库接受更改，也接受任何语言的文字。</translation>
    </message>
    <message>
        <source>Direct connection</source>
        <translation>直接连接</translation>
    </message>
    <message>
        <source>Notifications do not arrive: this seems to be a pooler. Use the server&apos;s direct port, or session pooling.</source>
        <translation>通知无法到达：这似乎是连接池。请使用服务器的直接端口，或会话模式的连接池。</translation>
    </message>
    <message>
        <source>Notifications arrive.</source>
        <translation>通知可以到达。</translation>
    </message>
    <message>
        <source>Connections</source>
        <translation>连接数</translation>
    </message>
    <message>
        <source>The server takes {most} connections; a computer needs up to three while ChatDesk runs.</source>
        <translation>服务器接受 {most} 个连接；ChatDesk 运行时一台计算机最多需要三个。</translation>
    </message>
    <message>
        <source>The server takes {most} connections, up to three for each computer.</source>
        <translation>服务器接受 {most} 个连接，每台计算机最多三个。</translation>
    </message>
    <message>
        <source>[y/N]</source>
        <translation>[y/N]</translation>
    </message>
    <message>
        <source>y yes</source>
        <translation>y 是</translation>
    </message>
    <message>
        <source>Nobody can be asked here.</source>
        <translation>这里无法询问任何人。</translation>
    </message>
    <message>
        <source>Add --yes.</source>
        <translation>请加上 --yes。</translation>
    </message>
    <message>
        <source>The output could not be written: {strerror}.</source>
        <translation>无法写入输出：{strerror}。</translation>
    </message>
    <message>
        <source>{megabytes} MB</source>
        <translation>{megabytes} MB</translation>
    </message>
    <message numerus="yes">
        <source>{count} bytes</source>
        <comment>{count} byte</comment>
        <translation>
            <numerusform>{count} 字节</numerusform>
        </translation>
    </message>
    <message>
        <source>{about} of {server} failed: {reason}</source>
        <translation>{server} 的{about}失败：{reason}</translation>
    </message>
    <message>
        <source>“{tool}” of {server} was changed by its server after it was offered, so it was not run.</source>
        <translation>{server} 的“{tool}”在提供之后被其服务器更改，因此未运行。</translation>
    </message>
    <message>
        <source>Ask again: you are shown it as it is now.</source>
        <translation>请重新提问：会显示它现在的样子。</translation>
    </message>
    <message>
        <source>Signing in to {server} failed: {reason}</source>
        <translation>登录 {server} 失败：{reason}</translation>
    </message>
    <message>
        <source>It was ended.</source>
        <translation>它已被结束。</translation>
    </message>
    <message>
        <source>{server} cannot be used: {reason}</source>
        <translation>无法使用 {server}：{reason}</translation>
    </message>
    <message>
        <source>The process for tools could not be started.</source>
        <translation>无法启动工具进程。</translation>
    </message>
    <message>
        <source>The process for tools ended.</source>
        <translation>工具进程已结束。</translation>
    </message>
    <message>
        <source>The list of prompts</source>
        <translation>提示词列表</translation>
    </message>
    <message>
        <source>The list of resources</source>
        <translation>资源列表</translation>
    </message>
    <message>
        <source>{about} of {name} is empty.</source>
        <translation>{name} 的{about}为空。</translation>
    </message>
    <message>
        <source>No tool server was found in this text.</source>
        <translation>在此文字中未找到工具服务器。</translation>
    </message>
    <message>
        <source>Paste the whole block, from { to }.</source>
        <translation>请粘贴从 { 到 } 的整个块。</translation>
    </message>
    <message>
        <source>It is described with the older transport (SSE), which ChatDesk does not speak. Ask for its address for streamable HTTP, which often ends with /mcp.</source>
        <translation>它使用较旧的传输方式 (SSE) 描述，ChatDesk 不支持。请索取其 streamable HTTP 地址，通常以 /mcp 结尾。</translation>
    </message>
    <message>
        <source>This text is too long for a description of tool servers.</source>
        <translation>此文字对工具服务器的描述来说太长。</translation>
    </message>
    <message>
        <source>This text is not valid JSON.</source>
        <translation>此文字不是有效的 JSON。</translation>
    </message>
    <message>
        <source>The permissions of tools could not be saved.</source>
        <translation>无法保存工具的许可。</translation>
    </message>
    <message>
        <source>permissions of tools</source>
        <translation>工具的许可</translation>
    </message>
    <message>
        <source>Install Node.js: https://nodejs.org (on Debian and Ubuntu: sudo apt install npm).</source>
        <translation>请安装 Node.js：https://nodejs.org（在 Debian 和 Ubuntu 上：sudo apt install npm）。</translation>
    </message>
    <message>
        <source>Install Node.js: https://nodejs.org (on Debian and Ubuntu: sudo apt install nodejs).</source>
        <translation>请安装 Node.js：https://nodejs.org（在 Debian 和 Ubuntu 上：sudo apt install nodejs）。</translation>
    </message>
    <message>
        <source>Install Bun: https://bun.sh.</source>
        <translation>安装 Bun：https://bun.sh。</translation>
    </message>
    <message>
        <source>Install Deno: https://deno.com.</source>
        <translation>安装 Deno：https://deno.com。</translation>
    </message>
    <message>
        <source>Install uv: pipx install uv (or see https://docs.astral.sh/uv).</source>
        <translation>请安装 uv：pipx install uv（或见 https://docs.astral.sh/uv）。</translation>
    </message>
    <message>
        <source>Install pipx (on Debian and Ubuntu: sudo apt install pipx).</source>
        <translation>请安装 pipx（在 Debian 和 Ubuntu 上：sudo apt install pipx）。</translation>
    </message>
    <message>
        <source>Install Docker: https://docs.docker.com/get-docker.</source>
        <translation>安装 Docker：https://docs.docker.com/get-docker。</translation>
    </message>
    <message>
        <source>Install it, or give its whole path.</source>
        <translation>请安装它，或给出其完整路径。</translation>
    </message>
    <message>
        <source>The program “{name}” was not found.</source>
        <translation>找不到程序“{name}”。</translation>
    </message>
    <message>
        <source>There is no such folder.</source>
        <translation>没有这样的文件夹。</translation>
    </message>
    <message>
        <source>Choose a folder that exists on this computer.</source>
        <translation>请选择此计算机上存在的文件夹。</translation>
    </message>
    <message>
        <source>There is no folder {path}.</source>
        <translation>没有文件夹 {path}。</translation>
    </message>
    <message>
        <source>ChatDesk keeps its own files in {each}, which models must not read.</source>
        <translation>ChatDesk 在 {each} 中保存自己的文件，模型不得读取。</translation>
    </message>
    <message>
        <source>Choose the folder of the project itself.</source>
        <translation>请选择项目本身的文件夹。</translation>
    </message>
    <message>
        <source>“{label}” is missing.</source>
        <translation>缺少“{label}”。</translation>
    </message>
    <message>
        <source>“{label}” is not a whole number.</source>
        <translation>“{label}”不是整数。</translation>
    </message>
    <message>
        <source>“{label}” is not a number.</source>
        <translation>“{label}”不是数字。</translation>
    </message>
    <message>
        <source>“{label}” is at least {least}{unit}.</source>
        <translation>“{label}”至少为 {least}{unit}。</translation>
    </message>
    <message>
        <source>“{label}” is at most {most}{unit}.</source>
        <translation>“{label}”至多为 {most}{unit}。</translation>
    </message>
    <message>
        <source>an email address</source>
        <translation>电子邮件地址</translation>
    </message>
    <message>
        <source>an address such as https://example.org</source>
        <translation>类似 https://example.org 的地址</translation>
    </message>
    <message>
        <source>a date such as 2026-11-24</source>
        <translation>类似 2026-11-24 的日期</translation>
    </message>
    <message>
        <source>a date and time such as 2026-11-24T09:30:00Z</source>
        <translation>类似 2026-11-24T09:30:00Z 的日期和时间</translation>
    </message>
    <message>
        <source>“{label}” is not {words}.</source>
        <translation>“{label}”不是{words}。</translation>
    </message>
    <message>
        <source>This tool server cannot be used as it is.</source>
        <translation>此工具服务器按现状无法使用。</translation>
    </message>
    <message>
        <source>Correct this and save again.</source>
        <translation>请更正，然后重新保存。</translation>
    </message>
    <message>
        <source>The tool server has no name.</source>
        <translation>工具服务器没有名称。</translation>
    </message>
    <message>
        <source>The tool server has no command.</source>
        <translation>工具服务器没有命令。</translation>
    </message>
    <message>
        <source>The command has a character that no command can have.</source>
        <translation>命令中有命令不能包含的字符。</translation>
    </message>
    <message>
        <source>The address of a tool server begins with https:// or http://.</source>
        <translation>工具服务器的地址以 https:// 或 http:// 开头。</translation>
    </message>
    <message>
        <source>Secrets are sent over https only: anybody on the way could read them.</source>
        <translation>机密仅通过 https 发送：否则途中的任何人都能读取。</translation>
    </message>
    <message>
        <source>The tool servers could not be saved.</source>
        <translation>无法保存工具服务器。</translation>
    </message>
    <message>
        <source>tool servers</source>
        <translation>工具服务器</translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers were left out: the entry in {file} cannot be used.</source>
        <comment>{count} tool server was left out: the entry in {file} cannot be used.</comment>
        <translation>
            <numerusform>略过了 {count} 个工具服务器：{file} 中的条目无法使用。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers in this data directory may be from somebody else and stay off until you switch them on.</source>
        <comment>{count} tool server in this data directory may be from somebody else and stays off until you switch it on.</comment>
        <translation>
            <numerusform>此数据目录中的 {count} 个工具服务器可能来自他人，在你开启之前保持关闭。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} other choices for tools in this data directory (a folder, a server of ChatDesk&apos;s own, the search engine) may be from somebody else and do not hold until you choose again.</source>
        <comment>{count} other choice for tools in this data directory (a folder, a server of ChatDesk&apos;s own, the search engine) may be from somebody else and does not hold until you choose again.</comment>
        <translation>
            <numerusform>此数据目录中另有 {count} 项工具选择（文件夹、ChatDesk 自带的服务器、搜索引擎）可能出自他人，在你重新选择之前不生效。</numerusform>
        </translation>
    </message>
    <message>
        <source>The file of tool servers was written by a newer ChatDesk.</source>
        <translation>工具服务器文件由较新的 ChatDesk 写入。</translation>
    </message>
    <message>
        <source>What you set up for tools cannot be marked as yours, so the next start would not trust it.</source>
        <translation>你为工具所做的设置无法标记为你的，因此下次启动不会信任它。</translation>
    </message>
    <message>
        <source>Unlock the keyring, or check your configuration directory, and try again.</source>
        <translation>请解锁密钥环，或检查你的配置目录，然后重试。</translation>
    </message>
    <message>
        <source>The file of tool servers {path} could not be written.</source>
        <translation>无法写入工具服务器文件 {path}。</translation>
    </message>
    <message>
        <source>There are {most_servers} tool servers already.</source>
        <translation>已有 {most_servers} 个工具服务器。</translation>
    </message>
    <message>
        <source>{name} comes with ChatDesk.</source>
        <translation>{name} 随 ChatDesk 附带。</translation>
    </message>
    <message>
        <source>Switch it off instead.</source>
        <translation>请改为将其关闭。</translation>
    </message>
    <message>
        <source>The tool took too long.</source>
        <translation>工具用时过长。</translation>
    </message>
    <message>
        <source>The folder {folder} does not exist.</source>
        <translation>文件夹 {folder} 不存在。</translation>
    </message>
    <message>
        <source>The value of {name} is missing.</source>
        <translation>缺少 {name} 的值。</translation>
    </message>
    <message>
        <source>Enter it in Settings, Tools.</source>
        <translation>请在“设置”的“工具”中输入。</translation>
    </message>
    <message>
        <source>This server cannot be signed in to.</source>
        <translation>无法登录此服务器。</translation>
    </message>
    <message>
        <source>Sign in to servers over https.</source>
        <translation>请通过 https 登录服务器。</translation>
    </message>
    <message>
        <source>Try again later.</source>
        <translation>请稍后重试。</translation>
    </message>
    <message>
        <source>Check the address in Settings, Tools, or try again later.</source>
        <translation>请在“设置”的“工具”中检查地址，或稍后重试。</translation>
    </message>
    <message>
        <source>The key of {label} is missing.</source>
        <translation>缺少 {label} 的密钥。</translation>
    </message>
    <message>
        <source>{server} answered, but not as {label} does.</source>
        <translation>{server} 有响应，但与 {label} 的方式不同。</translation>
    </message>
    <message>
        <source>SearXNG does not answer programs.</source>
        <translation>SearXNG 不应答程序。</translation>
    </message>
    <message>
        <source>Add json to search.formats in its settings.yml, or choose another.</source>
        <translation>请在其 settings.yml 的 search.formats 中添加 json，或选择另一个。</translation>
    </message>
    <message>
        <source>{label} does not take this key.</source>
        <translation>{label} 不接受此密钥。</translation>
    </message>
    <message>
        <source>{label} takes no more searches for now.</source>
        <translation>{label} 目前不再接受搜索。</translation>
    </message>
    <message>
        <source>Wait, or look at your plan there.</source>
        <translation>请等待，或查看你在那里的套餐。</translation>
    </message>
    <message>
        <source>{label} answered with {status}.</source>
        <translation>{label} 返回了 {status}。</translation>
    </message>
    <message>
        <source>The web could not be searched.</source>
        <translation>无法搜索网页。</translation>
    </message>
    <message>
        <source>Not encrypted: others on the network could read what is searched for.</source>
        <translation>未加密：网络上的其他人能读取搜索的内容。</translation>
    </message>
    <message>
        <source>The web cannot be searched like this.</source>
        <translation>无法这样搜索网页。</translation>
    </message>
    <message>
        <source>{label} wants a key.</source>
        <translation>{label} 需要密钥。</translation>
    </message>
    <message>
        <source>Choose one in Settings, Tools.</source>
        <translation>请在“设置”的“工具”中选择一个。</translation>
    </message>
    <message>
        <source>There is nothing to search for.</source>
        <translation>没有要搜索的内容。</translation>
    </message>
    <message>
        <source>It found no page about {tried_with}.</source>
        <translation>未找到关于 {tried_with} 的页面。</translation>
    </message>
    <message>
        <source>The address of SearXNG is one like https://searx.example.org.</source>
        <translation>SearXNG 的地址形如 https://searx.example.org。</translation>
    </message>
    <message>
        <source>The export ended unexpectedly.</source>
        <translation>导出意外结束。</translation>
    </message>
    <message>
        <source>Try again, or another format.</source>
        <translation>请重试，或换一种格式。</translation>
    </message>
    <message>
        <source>The pages were not finished in time.</source>
        <translation>页面没有及时完成。</translation>
    </message>
    <message>
        <source>Export as HTML and print that.</source>
        <translation>请导出为 HTML 并打印。</translation>
    </message>
    <message>
        <source>The PDF could not be made: {reason}.</source>
        <translation>无法生成 PDF：{reason}。</translation>
    </message>
    <message>
        <source>This file contains more chats than can be read at once.</source>
        <translation>此文件包含的聊天超过一次能读取的数量。</translation>
    </message>
    <message>
        <source>The CSV file is cut off or damaged.</source>
        <translation>CSV 文件被截断或已损坏。</translation>
    </message>
    <message>
        <source>Export the chats again, then import that file.</source>
        <translation>请重新导出聊天，然后导入该文件。</translation>
    </message>
    <message>
        <source>There is not enough room on the disk to open the zip files in this one.</source>
        <translation>磁盘空间不足，无法打开此 zip 中的 zip 文件。</translation>
    </message>
    <message>
        <source>Make room, or unpack it and import the zip file of the conversations alone.</source>
        <translation>请腾出空间，或将其解包后只导入会话的 zip 文件。</translation>
    </message>
    <message>
        <source>The zip file is damaged or not complete.</source>
        <translation>zip 文件已损坏或不完整。</translation>
    </message>
    <message>
        <source>Download the export again, then import it.</source>
        <translation>请重新下载导出文件，然后导入。</translation>
    </message>
    <message>
        <source>The zip file claims more files than an export has.</source>
        <translation>zip 文件声称的文件数超过导出应有的数量。</translation>
    </message>
    <message>
        <source>The zip file is protected by a password.</source>
        <translation>zip 文件受密码保护。</translation>
    </message>
    <message>
        <source>Unpack it, then import the JSON file in it.</source>
        <translation>请解包，然后导入其中的 JSON 文件。</translation>
    </message>
    <message>
        <source>The zip file is packed in a way that exports are not.</source>
        <translation>zip 文件的打包方式与导出文件不同。</translation>
    </message>
    <message>
        <source>The zip file unpacks to far more than an export holds, so it was not opened.</source>
        <translation>zip 文件解包后远超导出应有的大小，因此未打开。</translation>
    </message>
    <message>
        <source>This file was written by a newer ChatDesk (format version {version}).</source>
        <translation>此文件由较新的 ChatDesk 写入（格式版本 {version}）。</translation>
    </message>
    <message>
        <source>Update ChatDesk, then import it.</source>
        <translation>请更新 ChatDesk，然后导入。</translation>
    </message>
    <message>
        <source>This backup contains more text than can be read at once.</source>
        <translation>此备份包含的文字超过一次能读取的量。</translation>
    </message>
    <message>
        <source>The answer failed.</source>
        <translation>回答失败。</translation>
    </message>
    <message>
        <source>Entry {number}</source>
        <translation>第 {number} 项</translation>
    </message>
    <message>
        <source>It contains no messages.</source>
        <translation>它不包含消息。</translation>
    </message>
    <message>
        <source>Entry {number} of {name}</source>
        <translation>{name} 的第 {number} 项</translation>
    </message>
    <message>
        <source>“{key}” of {name}</source>
        <translation>{name} 的“{key}”</translation>
    </message>
    <message>
        <source>Nothing after it could be read.</source>
        <translation>其后的内容均无法读取。</translation>
    </message>
    <message>
        <source>The file is damaged or not complete.</source>
        <translation>文件已损坏或不完整。</translation>
    </message>
    <message>
        <source>The rest of the file could not be read.</source>
        <translation>无法读取文件的其余部分。</translation>
    </message>
    <message>
        <source>This file is one conversation that is larger than any export holds.</source>
        <translation>此文件是一个会话，大于任何导出应有的大小。</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were here already.</source>
        <comment>{count} thread was here already.</comment>
        <translation>
            <numerusform>{count} 个对话已在此处。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were in the trash and left there.</source>
        <comment>{count} thread was in the trash and left there.</comment>
        <translation>
            <numerusform>{count} 个对话在回收站中，已留在那里。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were deleted for good before and left out.</source>
        <comment>{count} thread was deleted for good before and left out.</comment>
        <translation>
            <numerusform>{count} 个对话先前已永久删除，已略去。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} entries were skipped.</source>
        <comment>{count} entry was skipped.</comment>
        <translation>
            <numerusform>已跳过 {count} 个条目。</numerusform>
        </translation>
    </message>
    <message>
        <source>There was nothing to import.</source>
        <translation>没有可导入的内容。</translation>
    </message>
    <message>
        <source>The import was stopped. Import the same file again to continue.</source>
        <translation>导入已停止。再次导入同一文件即可继续。</translation>
    </message>
    <message numerus="yes">
        <source>{count} new threads</source>
        <comment>{count} new thread</comment>
        <translation>
            <numerusform>{count} 个新对话</numerusform>
        </translation>
    </message>
    <message>
        <source>Would import {threads} with {messages}.</source>
        <translation>将导入 {threads}，共 {messages}。</translation>
    </message>
    <message>
        <source>Imported {threads} with {messages}.</source>
        <translation>已导入 {threads}，共 {messages}。</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads with new messages</source>
        <comment>{count} thread with new messages</comment>
        <translation>
            <numerusform>{count} 个有新消息的对话</numerusform>
        </translation>
    </message>
    <message>
        <source>Would import {threads} and {grown}, {messages} in all.</source>
        <translation>将导入 {threads}和 {grown}，合计 {messages}。</translation>
    </message>
    <message>
        <source>Imported {threads} and {grown}, {messages} in all.</source>
        <translation>已导入 {threads}和 {grown}，合计 {messages}。</translation>
    </message>
    <message numerus="yes">
        <source>{count} files that messages name are not in the export.</source>
        <comment>{count} file that messages name is not in the export.</comment>
        <translation>
            <numerusform>消息提到的 {count} 个文件不在导出中。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages that the vendor hides were left out.</source>
        <comment>{count} message that the vendor hides was left out.</comment>
        <translation>
            <numerusform>已略去供应商隐藏的 {count} 条消息。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} marks of sources that the export does not name were left out.</source>
        <comment>{count} mark of a source that the export does not name was left out.</comment>
        <translation>
            <numerusform>已略去导出文件中未指明的 {count} 个来源标记。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The export contains {count} memories.</source>
        <comment>The export contains {count} memory.</comment>
        <translation>
            <numerusform>导出文件中有 {count} 条记忆。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} more are beyond the most that ChatDesk keeps.</source>
        <comment>{count} more is beyond the most that ChatDesk keeps.</comment>
        <translation>
            <numerusform>另有 {count} 条超出了 ChatDesk 可保留的上限。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} of them are remembered now.</source>
        <comment>{count} of them is remembered now.</comment>
        <translation>
            <numerusform>其中 {count} 条现已记住。</numerusform>
        </translation>
    </message>
    <message>
        <source>None was taken: memories are kept only where you choose them.</source>
        <translation>未接收任何记忆：只有在你选择时才会保留。</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({reason})</source>
        <translation>{outcome}：{title} ({reason})</translation>
    </message>
    <message>
        <source>{outcome}: {title}</source>
        <translation>{outcome}：{title}</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({messages}; {reason})</source>
        <translation>{outcome}：{title} ({messages}；{reason})</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({messages})</source>
        <translation>{outcome}：{title} ({messages})</translation>
    </message>
    <message>
        <source>It is in the trash. Restore it and import again to have what is new.</source>
        <translation>它在回收站中。请将其恢复并重新导入，以获得新内容。</translation>
    </message>
    <message>
        <source>It was deleted for good.</source>
        <translation>它已永久删除。</translation>
    </message>
    <message>
        <source>An import is running already.</source>
        <translation>已有导入正在进行。</translation>
    </message>
    <message>
        <source>Some characters could not be read and are shown as �.</source>
        <translation>有些字符无法读取，现显示为 �。</translation>
    </message>
    <message>
        <source>The virus scanner found something in this file, so it was kept out.</source>
        <translation>病毒扫描程序在此文件中发现了问题，因此已阻止。</translation>
    </message>
    <message numerus="yes">
        <source>{count} prompts were imported, too.</source>
        <comment>{count} prompt was imported, too.</comment>
        <translation>
            <numerusform>一并导入了 {count} 个提示词。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} drafts were imported, too.</source>
        <comment>{count} draft was imported, too.</comment>
        <translation>
            <numerusform>一并导入了 {count} 个草稿。</numerusform>
        </translation>
    </message>
    <message>
        <source>What was imported so far is complete. Import the same file again to continue.</source>
        <translation>到目前为止导入的内容完整。再次导入同一文件即可继续。</translation>
    </message>
    <message>
        <source>{name} is not a file.</source>
        <translation>{name} 不是文件。</translation>
    </message>
    <message>
        <source>Choose the export itself.</source>
        <translation>请选择导出文件本身。</translation>
    </message>
    <message>
        <source>This backup contains Cherry Studio&apos;s database as it is, which ChatDesk cannot read.</source>
        <translation>此备份包含 Cherry Studio 的原始数据库，ChatDesk 无法读取。</translation>
    </message>
    <message>
        <source>In Cherry Studio open Settings, Data Settings, Export to Phone, and export to a file.</source>
        <translation>请在 Cherry Studio 中打开“设置”、“数据设置”、“导出至手机”，并导出到文件。</translation>
    </message>
    <message>
        <source>This is a page to be read, not the data of an export.</source>
        <translation>这是供阅读的页面，不是导出的数据。</translation>
    </message>
    <message>
        <source>Choose the zip file of the export as it came. If it contains only pages, ask for it again with JSON as its format: Google Takeout has a choice for that.</source>
        <translation>请选择收到的导出 zip 文件本身。如果其中只有页面，请以 JSON 格式重新申请：Google Takeout 可以选择格式。</translation>
    </message>
    <message>
        <source>Choose an export of one of these programs: {programs}.</source>
        <translation>请选择以下程序之一的导出：{programs}。</translation>
    </message>
    <message>
        <source>There is nothing in this folder that ChatDesk can import.</source>
        <translation>此文件夹中没有 ChatDesk 可导入的内容。</translation>
    </message>
    <message>
        <source>There is nothing in this file that ChatDesk can import.</source>
        <translation>此文件中没有 ChatDesk 可导入的内容。</translation>
    </message>
    <message>
        <source>This file is not an export that ChatDesk knows.</source>
        <translation>此文件不是 ChatDesk 支持的导出文件。</translation>
    </message>
    <message>
        <source>{name} is cut off: its end is missing.</source>
        <translation>{name} 被截断：缺少结尾。</translation>
    </message>
    <message>
        <source>{name} could not be read: {reason}.</source>
        <translation>无法读取 {name}：{reason}。</translation>
    </message>
    <message>
        <source>Check the file.</source>
        <translation>请检查文件。</translation>
    </message>
    <message>
        <source>This folder contains far more files than a program&apos;s chats would have.</source>
        <translation>此文件夹包含的文件远多于一个程序的聊天。</translation>
    </message>
    <message>
        <source>Choose the folder of the chats.</source>
        <translation>请选择聊天所在的文件夹。</translation>
    </message>
    <message>
        <source>The page of releases does not say which version is the newest.</source>
        <translation>发布页面没有说明哪个版本最新。</translation>
    </message>
    <message>
        <source>Installed from a package: the updates of this computer bring new versions, such as “apt upgrade”.</source>
        <translation>从软件包安装：新版本随此计算机的更新而来，例如“apt upgrade”。</translation>
    </message>
    <message>
        <source>Installed as a Flatpak: the updates of this computer bring new versions, or “flatpak update”.</source>
        <translation>以 Flatpak 安装：新版本随此计算机的更新或“flatpak update”而来。</translation>
    </message>
    <message>
        <source>Installed as a snap: the system brings new versions by itself.</source>
        <translation>以 snap 安装：系统会自行带来新版本。</translation>
    </message>
    <message>
        <source>Installed with pipx: “pipx upgrade chatdesk” brings a new version.</source>
        <translation>用 pipx 安装：“pipx upgrade chatdesk”可获得新版本。</translation>
    </message>
    <message>
        <source>Installed with pip: “pip install --upgrade chatdesk” brings a new version.</source>
        <translation>用 pip 安装：“pip install --upgrade chatdesk”可获得新版本。</translation>
    </message>
    <message>
        <source>A checkout: “git pull” brings a new version.</source>
        <translation>代码检出：“git pull”可获得新版本。</translation>
    </message>
    <message>
        <source>The portable program: start a newer .run file once to put a new version in its place.</source>
        <translation>便携程序：运行一次较新的 .run 文件即可替换为新版本。</translation>
    </message>
    <message>
        <source>This copy does not update itself: unpack a newer one in its place.</source>
        <translation>此副本不会自行更新：请在原处解压较新的版本。</translation>
    </message>
    <message>
        <source>January</source>
        <translation>1月</translation>
    </message>
    <message>
        <source>February</source>
        <translation>2月</translation>
    </message>
    <message>
        <source>March</source>
        <translation>3月</translation>
    </message>
    <message>
        <source>April</source>
        <translation>4月</translation>
    </message>
    <message>
        <source>May</source>
        <translation>5月</translation>
    </message>
    <message>
        <source>June</source>
        <translation>6月</translation>
    </message>
    <message>
        <source>July</source>
        <translation>7月</translation>
    </message>
    <message>
        <source>August</source>
        <translation>8月</translation>
    </message>
    <message>
        <source>September</source>
        <translation>9月</translation>
    </message>
    <message>
        <source>October</source>
        <translation>10月</translation>
    </message>
    <message>
        <source>November</source>
        <translation>11月</translation>
    </message>
    <message>
        <source>December</source>
        <translation>12月</translation>
    </message>
    <message>
        <source>There may be {most_limits} limits, one of a kind for each period.</source>
        <translation>最多可有 {most_limits} 个限额，每个时段每类一个。</translation>
    </message>
    <message>
        <source>The old limits hold on.</source>
        <translation>旧限额继续有效。</translation>
    </message>
    <message>
        <source>Remove one of them.</source>
        <translation>请移除其中一个。</translation>
    </message>
    <message>
        <source>The warning at {amount} {name} is passed: with this question it is about {spent}.</source>
        <translation>已超过{name}警告值 {amount}：加上此问题约为 {spent}。</translation>
    </message>
    <message>
        <source>Nothing is sent beyond {amount}.</source>
        <translation>超过 {amount} 后不会发送任何内容。</translation>
    </message>
    <message>
        <source>Titles and summaries wait.</source>
        <translation>标题和摘要等待中。</translation>
    </message>
    <message>
        <source>A limit must be a number from 0 on.</source>
        <translation>限额必须是不小于 0 的数字。</translation>
    </message>
    <message>
        <source>Correct the number.</source>
        <translation>请更正该数字。</translation>
    </message>
    <message>
        <source>The warning {name} is above its stop.</source>
        <translation>{name}警告高于其停止值。</translation>
    </message>
    <message>
        <source>The limit starts again {end}. Raise it, or send this question anyway.</source>
        <translation>限额{end}重新开始。请提高限额，或仍然发送此问题。</translation>
    </message>
    <message>
        <source>Give the warning a smaller number.</source>
        <translation>请为警告设置较小的数字。</translation>
    </message>
    <message>
        <source>tomorrow</source>
        <translation>明天</translation>
    </message>
    <message>
        <source>on {day} {month}</source>
        <translation>{month}{day}日</translation>
    </message>
    <message>
        <source>The limit of {amount} {name} is reached: {spent} are used.</source>
        <translation>已达到{name}限额 {amount}：已用 {spent}。</translation>
    </message>
    <message>
        <source>The limit of {amount} {name} is reached: {spent} are used and this question needs about {needed}.</source>
        <translation>已达到{name}限额 {amount}：已用 {spent}，此问题约需 {needed}。</translation>
    </message>
    <message>
        <source>I am the **demo model** that comes with ChatDesk. I cannot work on this, but a model that you connect can.</source>
        <translation>我是 ChatDesk 自带的**演示模型**。我处理不了这个问题，但你连接的模型可以。</translation>
    </message>
    <message>
        <source>This is where a real model would answer. I am the **demo model**: I need no network, and I know nothing.</source>
        <translation>真正的模型会在这里回答。我是**演示模型**：不需要网络，也什么都不懂。</translation>
    </message>
    <message>
        <source>A good question for a real model! I am the **demo model** and can only show what ChatDesk does.</source>
        <translation>这个问题很适合真正的模型！我是**演示模型**，只能展示 ChatDesk 的功能。</translation>
    </message>
    <message>
        <source>I am the **demo model** and cannot work on this. Here is how ChatDesk shows such an answer:</source>
        <translation>我是**演示模型**，处理不了这个问题。ChatDesk 会这样显示此类回答：</translation>
    </message>
    <message>
        <source>A real model would answer here. This is what its answer could look like:</source>
        <translation>真正的模型会在这里回答。回答可能是这样的：</translation>
    </message>
    <message>
        <source>I know nothing, but I can show you how such an answer looks in ChatDesk:</source>
        <translation>我什么都不懂，但可以让你看看此类回答在 ChatDesk 中的样子：</translation>
    </message>
    <message>
        <source>This was the **demo model**, which comes with ChatDesk. To get real answers choose *Add provider…* in the list of models at the top. `/demo` lists what else I can show.</source>
        <translation>以上是 ChatDesk 自带的**演示模型**。要获得真正的回答，请在顶部的模型列表中选择“添加提供商…”。`/demo` 会列出我还能展示的内容。</translation>
    </message>
    <message>
        <source>Hello!</source>
        <translation>你好！</translation>
    </message>
    <message>
        <source>Try one of these with me:</source>
        <translation>可以让我试试这些：</translation>
    </message>
    <message>
        <source>To get real answers choose *Add provider…* in the list of models at the top.</source>
        <translation>要获得真正的回答，请在顶部的模型列表中选择“添加提供商…”。</translation>
    </message>
    <message>
        <source>Ask for</source>
        <translation>输入</translation>
    </message>
    <message>
        <source>and see</source>
        <translation>就能看到</translation>
    </message>
    <message>
        <source>*a tour*</source>
        <translation>*导览*</translation>
    </message>
    <message>
        <source>what ChatDesk can do</source>
        <translation>ChatDesk 能做什么</translation>
    </message>
    <message>
        <source>*code*, *a table*, *a formula*, *a plan*</source>
        <translation>*代码*、*表格*、*公式*、*计划*</translation>
    </message>
    <message>
        <source>how an answer is drawn</source>
        <translation>回答如何呈现</translation>
    </message>
    <message>
        <source>a long answer, to scroll and to stop</source>
        <translation>一个很长的回答，可滚动、可停止</translation>
    </message>
    <message>
        <source>what happens when a connection breaks</source>
        <translation>连接中断时会怎样</translation>
    </message>
    <message>
        <source>everything else</source>
        <translation>其他一切</translation>
    </message>
    <message>
        <source>I am the **demo model**. I come with ChatDesk, need no network and no account, and know nothing; but I can show you what ChatDesk does with the answers of a real model.</source>
        <translation>我是**演示模型**。我随 ChatDesk 提供，不需要网络和帐户，也什么都不懂；但我可以展示 ChatDesk 如何处理真正模型的回答。</translation>
    </message>
    <message>
        <source>What you can do</source>
        <translation>你可以做的</translation>
    </message>
    <message>
        <source>How</source>
        <translation>方法</translation>
    </message>
    <message>
        <source>Ask again, or another model</source>
        <translation>再问一次，或换一个模型</translation>
    </message>
    <message>
        <source>the buttons below an answer, or Ctrl+R</source>
        <translation>回答下方的按钮，或 Ctrl+R</translation>
    </message>
    <message>
        <source>Change a question</source>
        <translation>修改问题</translation>
    </message>
    <message>
        <source>its pencil; the old version stays</source>
        <translation>它的铅笔按钮；旧版本会保留</translation>
    </message>
    <message>
        <source>Try another direction</source>
        <translation>尝试另一个方向</translation>
    </message>
    <message>
        <source>*Branch* in the menu of a message</source>
        <translation>消息菜单中的“分支到新对话”</translation>
    </message>
    <message>
        <source>Ask several models at once</source>
        <translation>同时询问多个模型</translation>
    </message>
    <message>
        <source>*Compare models…* in the list of models</source>
        <translation>模型列表中的“比较模型…”</translation>
    </message>
    <message>
        <source>Attach a file or a picture</source>
        <translation>附加文件或图片</translation>
    </message>
    <message>
        <source>drop it on the window, or paste it</source>
        <translation>拖到窗口上，或直接粘贴</translation>
    </message>
    <message>
        <source>Stop an answer</source>
        <translation>停止回答</translation>
    </message>
    <message>
        <source>Esc</source>
        <translation>Esc</translation>
    </message>
    <message>
        <source>**Ctrl+K** finds every word of every thread, **Ctrl+Shift+P** every command, and **F1** opens the help.</source>
        <translation>**Ctrl+K** 可找到每个对话中的每个词，**Ctrl+Shift+P** 可找到每条命令，**F1** 打开帮助。</translation>
    </message>
    <message>
        <source>Projects, tags, pins and an archive keep order; what was deleted waits in the trash.</source>
        <translation>项目、标签、固定和归档让一切井井有条；删除的内容在回收站里等着。</translation>
    </message>
    <message>
        <source>Everything is on this computer. *Import…* takes over what you have in ChatGPT, Claude and others.</source>
        <translation>一切都在这台计算机上。“导入…”可以接收你在 ChatGPT、Claude 等程序中的内容。</translation>
    </message>
    <message>
        <source>The window closes at any time: no word is lost, and an answer can be continued.</source>
        <translation>窗口随时可以关闭：不会丢失一个字，回答也可以继续。</translation>
    </message>
    <message>
        <source>Choose *Add provider…* in the list of models at the top, and paste a key.</source>
        <translation>在顶部的模型列表中选择“添加提供商…”，然后粘贴密钥。</translation>
    </message>
    <message>
        <source>Or start a server on this computer, such as Ollama: it is found by itself.</source>
        <translation>或在这台计算机上启动服务器，例如 Ollama：它会被自动找到。</translation>
    </message>
    <message>
        <source>Type `/demo` to see what else I can show.</source>
        <translation>输入 `/demo` 查看我还能展示的内容。</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>回答</translation>
    </message>
    <message>
        <source>Code has colours, a button to copy it, and scrolls on its own:</source>
        <translation>代码有颜色和复制按钮，并可单独滚动：</translation>
    </message>
    <message>
        <source>Formulas are drawn, {formula}, and tables are tables:</source>
        <translation>公式会绘制出来，{formula}，表格就是表格：</translation>
    </message>
    <message>
        <source>Your threads</source>
        <translation>你的对话</translation>
    </message>
    <message>
        <source>Next</source>
        <comment>steps</comment>
        <translation>下一步</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>工具</translation>
    </message>
    <message>
        <source>Embeddings</source>
        <translation>嵌入</translation>
    </message>
    <message>
        <source>Week of {words}</source>
        <translation>{words}所在周</translation>
    </message>
    <message>
        <source>The server&apos;s own model</source>
        <translation>服务器自己的模型</translation>
    </message>
    <message>
        <source>A project that is gone</source>
        <translation>已不存在的项目</translation>
    </message>
    <message>
        <source>No project</source>
        <translation>无项目</translation>
    </message>
    <message>
        <source>There is no such token.</source>
        <translation>没有这样的令牌。</translation>
    </message>
    <message>
        <source>&apos;chatdesk tokens list&apos; shows them all.</source>
        <translation>&apos;chatdesk tokens list&apos; 会显示全部令牌。</translation>
    </message>
    <message>
        <source>A token needs a name.</source>
        <translation>令牌需要名称。</translation>
    </message>
    <message>
        <source>Give it the name of the program that will use it.</source>
        <translation>请以将要使用它的程序命名。</translation>
    </message>
    <message>
        <source>There is already a token called “{name}”.</source>
        <translation>已有名为“{name}”的令牌。</translation>
    </message>
    <message>
        <source>The folder of the tokens, {folder}, cannot be written to: {reason}.</source>
        <translation>无法写入令牌文件夹 {folder}：{reason}。</translation>
    </message>
    <message>
        <source>Make it writable; on Linux XDG_STATE_HOME may name another place, here and for the service.</source>
        <translation>请将其设为可写；在 Linux 上，可用 XDG_STATE_HOME 为此处和服务指定其他位置。</translation>
    </message>
    <message>
        <source>owner</source>
        <comment>data directory</comment>
        <translation>占用者</translation>
    </message>
    <message>
        <source>complete</source>
        <translation>已完成</translation>
    </message>
    <message>
        <source>database</source>
        <translation>数据库</translation>
    </message>
    <message>
        <source>settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>valid</source>
        <translation>有效</translation>
    </message>
    <message>
        <source>{key} (on, {until})</source>
        <translation>{key}（开，{until}）</translation>
    </message>
    <message>
        <source>{key} (off, {until})</source>
        <translation>{key}（关，{until}）</translation>
    </message>
    <message>
        <source>valid; tried out until the day given: {trials}</source>
        <translation>有效；试用至所示日期：{trials}</translation>
    </message>
    <message>
        <source>{path} (made when the first thread is)</source>
        <translation>{path}（随第一个对话创建）</translation>
    </message>
    <message>
        <source>Restore a backup (&apos;chatdesk restore --list&apos;; they are in {backup_dir}), or copy out what reads with &apos;chatdesk doctor --repair&apos;.</source>
        <translation>请恢复备份（&apos;chatdesk restore --list&apos;；它们在 {backup_dir} 中），或用 &apos;chatdesk doctor --repair&apos; 复制可读取的内容。</translation>
    </message>
    <message>
        <source>&apos;chatdesk doctor --repair&apos; repairs it.</source>
        <translation>&apos;chatdesk doctor --repair&apos; 可以修复它。</translation>
    </message>
    <message numerus="yes">
        <source>{path} is damaged ({count} findings: {first}).</source>
        <comment>{path} is damaged ({count} finding: {first}).</comment>
        <translation>
            <numerusform>{path} 已损坏（{count} 处：{first}）。</numerusform>
        </translation>
    </message>
    <message>
        <source>{path} is sound; schema {schema}, SQLite {sqlite}</source>
        <translation>{path} 完好；架构 {schema}，SQLite {sqlite}</translation>
    </message>
    <message>
        <source>database opening</source>
        <translation>打开数据库</translation>
    </message>
    <message>
        <source>database writing</source>
        <translation>写入数据库</translation>
    </message>
    <message>
        <source>workspace {name}</source>
        <translation>工作区 {name}</translation>
    </message>
    <message>
        <source>{database} on {host}; parked: this profile was restored or repaired, or a copy of it is in use; Connect again in Settings, Team sync, or &apos;chatdesk team join&apos; connects</source>
        <translation>{host} 上的 {database}；已搁置：此配置文件经过恢复或修复，或者它的副本正在使用；“设置”的“团队同步”中的“重新连接”或 &apos;chatdesk team join&apos; 会连接</translation>
    </message>
    <message>
        <source>{shared} shared, {waiting} waiting to be sent, {refused} refused</source>
        <translation>已共享 {shared}，待发送 {waiting}，被拒绝 {refused}</translation>
    </message>
    <message>
        <source>nothing was synced yet</source>
        <translation>尚未同步任何内容</translation>
    </message>
    <message>
        <source>newest line of its log, {at}: {problem}</source>
        <translation>最新的日志，{at}：{problem}</translation>
    </message>
    <message>
        <source>newest line of its log, {at}: {sent} sent, {received} received</source>
        <translation>最新的日志，{at}：发送 {sent}，接收 {received}</translation>
    </message>
    <message>
        <source>Details in the line below the threads says why, copies out, and tries again</source>
        <translation>对话下方一行中的“详情…”会说明原因、复制出来并重试</translation>
    </message>
    <message>
        <source>{let_in} shared with you again; choose Share… to send their copies</source>
        <translation>{let_in} 个已重新与你共享；选择“共享…”即可发送其副本</translation>
    </message>
    <message>
        <source>{first}; {rest}</source>
        <translation>{first}；{rest}</translation>
    </message>
    <message>
        <source>provider {name}</source>
        <translation>提供商 {name}</translation>
    </message>
    <message>
        <source>file of providers</source>
        <translation>提供商文件</translation>
    </message>
    <message>
        <source>there is none yet</source>
        <translation>尚不存在</translation>
    </message>
    <message>
        <source>A backup in {backup_dir} may still have the original.</source>
        <translation>{backup_dir} 中的备份可能有它原来的样子。</translation>
    </message>
    <message>
        <source>no window is open and no other command is running</source>
        <translation>没有打开的窗口，也没有其他命令在运行</translation>
    </message>
    <message>
        <source>a window</source>
        <translation>一个窗口</translation>
    </message>
    <message>
        <source>{name}, process {pid}</source>
        <translation>{name}，进程 {pid}</translation>
    </message>
    <message>
        <source>{who}, does not answer. If it hangs, end it.</source>
        <translation>{who} 没有响应。如果它已挂起，请结束它。</translation>
    </message>
    <message>
        <source>{count} {status}</source>
        <translation>{status} {count}</translation>
    </message>
    <message>
        <source>{who}, open for {minutes} min; {late} ms late at most; answers: {answers}; {waiting} waiting.</source>
        <translation>{who}，已打开 {minutes} 分钟；最多延迟 {late} 毫秒；回答：{answers}；{waiting} 个在等待。</translation>
    </message>
    <message>
        <source>Its database cannot be read ({reason}).</source>
        <translation>无法读取其数据库（{reason}）。</translation>
    </message>
    <message>
        <source>the last write failed</source>
        <translation>上次写入失败</translation>
    </message>
    <message>
        <source>It cannot save ({reason}).</source>
        <translation>它无法保存（{reason}）。</translation>
    </message>
    <message>
        <source>It reacts late.</source>
        <translation>它反应迟缓。</translation>
    </message>
    <message>
        <source>Provider {id} cannot be reached.</source>
        <translation>无法访问提供商 {id}。</translation>
    </message>
    <message>
        <source>Workspace {workspace}: {reason}.</source>
        <translation>工作区 {workspace}：{reason}。</translation>
    </message>
    <message>
        <source>keyring</source>
        <translation>密钥环</translation>
    </message>
    <message>
        <source>{detail} Keys come from variables or an encrypted file, or hold for one run.</source>
        <translation>{detail} 密钥来自变量或加密文件，或仅在一次运行中有效。</translation>
    </message>
    <message>
        <source>{missing} missing or damaged: token counts are estimates.</source>
        <translation>{missing} 缺失或损坏：token 数为估计值。</translation>
    </message>
    <message>
        <source>token encodings</source>
        <translation>token 编码</translation>
    </message>
    <message>
        <source>both here and intact</source>
        <translation>两者都在且完好</translation>
    </message>
    <message>
        <source>updates</source>
        <translation>更新</translation>
    </message>
    <message>
        <source>Another process has this data directory open.</source>
        <translation>另一个进程已打开此数据目录。</translation>
    </message>
    <message>
        <source>Restore in its window.</source>
        <translation>请在其窗口中恢复。</translation>
    </message>
    <message>
        <source>The model did not answer within {longest_s} s.</source>
        <translation>模型在 {longest_s} 秒内没有回答。</translation>
    </message>
    <message>
        <source>Read projects, threads and messages</source>
        <translation>读取项目、对话和消息</translation>
    </message>
    <message>
        <source>Create, change and trash threads and messages; write notes</source>
        <translation>创建、更改对话和消息并将其移入回收站；写备注</translation>
    </message>
    <message>
        <source>Ask questions and stop answers</source>
        <translation>提问和停止回答</translation>
    </message>
    <message>
        <source>Administer ChatDesk</source>
        <translation>管理 ChatDesk</translation>
    </message>
    <message>
        <source>Connect from another computer</source>
        <translation>从另一台计算机连接</translation>
    </message>
    <message>
        <source>The local service is off.</source>
        <translation>本地服务已关闭。</translation>
    </message>
    <message>
        <source>Turn it on in the settings.</source>
        <translation>请在设置中开启它。</translation>
    </message>
    <message>
        <source>Close it first, or choose another --data-dir.</source>
        <translation>请先关闭它，或选择另一个 --data-dir。</translation>
    </message>
    <message>
        <source>The local service ended because of a fault in ChatDesk.</source>
        <translation>本地服务因 ChatDesk 的故障而结束。</translation>
    </message>
    <message>
        <source>Try again; the log says more.</source>
        <translation>请重试；日志中有更多信息。</translation>
    </message>
    <message>
        <source>You: {question}</source>
        <translation>你：{question}</translation>
    </message>
    <message>
        <source>Status: {status}. Thread: {id}.</source>
        <translation>状态：{status}。对话：{id}。</translation>
    </message>
    <message>
        <source>Screenshot: {path}</source>
        <translation>屏幕截图：{path}</translation>
    </message>
    <message>
        <source>Screenshot: could not be saved</source>
        <translation>屏幕截图：无法保存</translation>
    </message>
    <message>
        <source>Something failed that ChatDesk needs to start.</source>
        <translation>ChatDesk 启动所需的某项失败了。</translation>
    </message>
    <message>
        <source>Start it again; “chatdesk doctor” and the log say more.</source>
        <translation>请重新启动；“chatdesk doctor”和日志中有更多信息。</translation>
    </message>
    <message>
        <source>Not saved</source>
        <translation>未保存</translation>
    </message>
    <message>
        <source>All changes saved</source>
        <translation>所有更改已保存</translation>
    </message>
    <message>
        <source>Not opened</source>
        <translation>未打开</translation>
    </message>
    <message>
        <source>Read only</source>
        <translation>只读</translation>
    </message>
    <message>
        <source>The database was upgraded; a backup of the old one is kept.</source>
        <translation>数据库已升级；旧数据库的备份已保留。</translation>
    </message>
    <message numerus="yes">
        <source>{count} answers were interrupted last time. The text is kept; Continue goes on.</source>
        <comment>An answer was interrupted last time. The text is kept; Continue goes on.</comment>
        <translation>
            <numerusform>上次有 {count} 个回答被中断。文字已保留；选择“继续”可接着进行。</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk ended unexpectedly last time. Your messages are kept.</source>
        <translation>ChatDesk 上次意外结束。消息已保留。</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>帮助</translation>
    </message>
    <message>
        <source>The pages of help are not in this installation of ChatDesk.</source>
        <translation>此 ChatDesk 安装中没有帮助页面。</translation>
    </message>
    <message>
        <source>The pages of help open outside of ChatDesk. They are in {page}.</source>
        <translation>帮助页面在 ChatDesk 之外打开，位于 {page}。</translation>
    </message>
    <message>
        <source>Save the report</source>
        <translation>保存报告</translation>
    </message>
    <message>
        <source>Zip (*.zip)</source>
        <translation>Zip (*.zip)</translation>
    </message>
    <message>
        <source>Saved as {name}.</source>
        <translation>已保存为 {name}。</translation>
    </message>
    <message>
        <source>{one} and {other}</source>
        <translation>{one} 和 {other}</translation>
    </message>
    <message>
        <source>No connection to {providers}. Your questions are kept.</source>
        <translation>与 {providers} 没有连接。问题已保留。</translation>
    </message>
    <message numerus="yes">
        <source>No connection to {providers}. {count} questions are kept, and sent when it is back.</source>
        <comment>No connection to {providers}. Your question is kept, and sent when it is back.</comment>
        <translation>
            <numerusform>与 {providers} 没有连接。{count} 个问题已保留，恢复连接后发送。</numerusform>
        </translation>
    </message>
    <message>
        <source>Close a window first: {count} are open.</source>
        <translation>请先关闭一个窗口：已打开 {count} 个。</translation>
    </message>
    <message>
        <source>A temporary chat stays in its place. Keep it to open it elsewhere.</source>
        <translation>临时聊天留在原处。要在别处打开，请先保留它。</translation>
    </message>
    <message>
        <source>My message is in the attached file, because it is too long to be sent whole.</source>
        <translation>我的消息在附加的文件中，因为它太长，无法完整发送。</translation>
    </message>
    <message>
        <source>Sent as a file, from which the model gets what fits</source>
        <translation>作为文件发送，模型从中获取容量允许的部分</translation>
    </message>
    <message>
        <source>Type a message</source>
        <translation>输入消息</translation>
    </message>
    <message>
        <source>New thread</source>
        <translation>新对话</translation>
    </message>
    <message>
        <source>New temporary chat</source>
        <translation>新建临时聊天</translation>
    </message>
    <message>
        <source>Keep this temporary chat</source>
        <translation>保留此临时聊天</translation>
    </message>
    <message>
        <source>Close the temporary chat</source>
        <translation>关闭临时聊天</translation>
    </message>
    <message>
        <source>Rename thread</source>
        <translation>重命名对话</translation>
    </message>
    <message>
        <source>Pin or unpin thread</source>
        <translation>固定或取消固定对话</translation>
    </message>
    <message>
        <source>Mark as read</source>
        <translation>标为已读</translation>
    </message>
    <message>
        <source>Archive thread, or take it out</source>
        <translation>归档对话，或移出归档</translation>
    </message>
    <message>
        <source>Move to a project…</source>
        <translation>移到项目…</translation>
    </message>
    <message>
        <source>Tags of the thread…</source>
        <translation>对话的标签…</translation>
    </message>
    <message>
        <source>Restore from the trash</source>
        <translation>从回收站恢复</translation>
    </message>
    <message>
        <source>Mark all threads of the list</source>
        <translation>标记列表中的所有对话</translation>
    </message>
    <message>
        <source>Ctrl+A in the list</source>
        <translation>列表中 Ctrl+A</translation>
    </message>
    <message>
        <source>System prompt…</source>
        <translation>系统提示词…</translation>
    </message>
    <message>
        <source>Choose the model…</source>
        <translation>选择模型…</translation>
    </message>
    <message>
        <source>Parameters…</source>
        <translation>参数…</translation>
    </message>
    <message>
        <source>Copy thread</source>
        <translation>复制对话</translation>
    </message>
    <message>
        <source>Copy link to the thread</source>
        <translation>复制对话链接</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>导出…</translation>
    </message>
    <message>
        <source>Export thread as Markdown…</source>
        <translation>将对话导出为 Markdown…</translation>
    </message>
    <message>
        <source>Export thread as JSON…</source>
        <translation>将对话导出为 JSON…</translation>
    </message>
    <message>
        <source>Delete thread</source>
        <translation>删除对话</translation>
    </message>
    <message>
        <source>Del in the list</source>
        <translation>列表中 Del</translation>
    </message>
    <message>
        <source>Erase thread for everyone…</source>
        <translation>为所有人抹除对话…</translation>
    </message>
    <message>
        <source>Undo the last change</source>
        <translation>撤销上次更改</translation>
    </message>
    <message>
        <source>Redo what was undone</source>
        <translation>重做已撤销的更改</translation>
    </message>
    <message>
        <source>Switch project…</source>
        <translation>切换项目…</translation>
    </message>
    <message>
        <source>New project…</source>
        <translation>新建项目…</translation>
    </message>
    <message>
        <source>Edit project…</source>
        <translation>编辑项目…</translation>
    </message>
    <message>
        <source>Files of the project…</source>
        <translation>项目的文件…</translation>
    </message>
    <message>
        <source>Memory…</source>
        <translation>记忆…</translation>
    </message>
    <message>
        <source>System prompt of the project…</source>
        <translation>项目的系统提示词…</translation>
    </message>
    <message>
        <source>Parameters of the project…</source>
        <translation>项目的参数…</translation>
    </message>
    <message>
        <source>Share project, or change its sharing…</source>
        <translation>共享项目，或更改其共享…</translation>
    </message>
    <message>
        <source>Archive project, or take it out</source>
        <translation>归档项目，或移出归档</translation>
    </message>
    <message>
        <source>Delete project…</source>
        <translation>删除项目…</translation>
    </message>
    <message>
        <source>All tags…</source>
        <translation>所有标签…</translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation>停止回答</translation>
    </message>
    <message>
        <source>Go to the call that waits for approval</source>
        <translation>转到等待批准的调用</translation>
    </message>
    <message>
        <source>Review proposed changes to files</source>
        <translation>查看对文件的更改建议</translation>
    </message>
    <message>
        <source>Add as note</source>
        <translation>添加为备注</translation>
    </message>
    <message>
        <source>Regenerate the last answer</source>
        <translation>重新生成上一个回答</translation>
    </message>
    <message>
        <source>Regenerate with another model…</source>
        <translation>用其他模型重新生成…</translation>
    </message>
    <message>
        <source>Compare models…</source>
        <translation>比较模型…</translation>
    </message>
    <message>
        <source>Edit my last message</source>
        <translation>编辑我的上一条消息</translation>
    </message>
    <message>
        <source>Up in an empty composer</source>
        <translation>空输入框中按向上键</translation>
    </message>
    <message>
        <source>Edit the answer</source>
        <translation>编辑回答</translation>
    </message>
    <message>
        <source>Open the page of an answer in the browser</source>
        <translation>在浏览器中打开回答的页面</translation>
    </message>
    <message>
        <source>Stop the answer and send the waiting question</source>
        <translation>停止回答并发送等待中的问题</translation>
    </message>
    <message>
        <source>Edit the last waiting question</source>
        <translation>编辑最后一个等待中的问题</translation>
    </message>
    <message>
        <source>Attach files…</source>
        <translation>附加文件…</translation>
    </message>
    <message>
        <source>Insert a prompt…</source>
        <translation>插入提示词…</translation>
    </message>
    <message>
        <source>/ in an empty line</source>
        <translation>空行中输入 /</translation>
    </message>
    <message>
        <source>Save as prompt…</source>
        <translation>保存为提示词…</translation>
    </message>
    <message>
        <source>Prompts…</source>
        <translation>提示词…</translation>
    </message>
    <message>
        <source>Choose assistant…</source>
        <translation>选择助手…</translation>
    </message>
    <message>
        <source>@ for one question</source>
        <translation>@ 用于一个问题</translation>
    </message>
    <message>
        <source>Copy the last answer</source>
        <translation>复制上一个回答</translation>
    </message>
    <message>
        <source>Copy the selection as Markdown</source>
        <translation>将所选内容复制为 Markdown</translation>
    </message>
    <message>
        <source>Copy the selection as plain text</source>
        <translation>将所选内容复制为纯文本</translation>
    </message>
    <message>
        <source>Copy the selection as rich text</source>
        <translation>将所选内容复制为富文本</translation>
    </message>
    <message>
        <source>Copy link to the message</source>
        <translation>复制消息链接</translation>
    </message>
    <message>
        <source>Quote the selection in the composer</source>
        <translation>在输入框中引用所选内容</translation>
    </message>
    <message>
        <source>Remember the selection…</source>
        <translation>记住所选内容…</translation>
    </message>
    <message>
        <source>Previous version</source>
        <translation>上一版本</translation>
    </message>
    <message>
        <source>Next version</source>
        <translation>下一版本</translation>
    </message>
    <message>
        <source>Compare versions</source>
        <translation>比较版本</translation>
    </message>
    <message>
        <source>Continue the answer</source>
        <translation>继续回答</translation>
    </message>
    <message>
        <source>Ask for a shorter answer</source>
        <translation>要求更短的回答</translation>
    </message>
    <message>
        <source>Ask for a longer answer</source>
        <translation>要求更长的回答</translation>
    </message>
    <message>
        <source>Branch into a new thread</source>
        <translation>分支到新对话</translation>
    </message>
    <message>
        <source>Open code or a file as artifact</source>
        <translation>将代码或文件作为制品打开</translation>
    </message>
    <message>
        <source>Pin into the context, or unpin</source>
        <translation>固定到上下文，或取消固定</translation>
    </message>
    <message>
        <source>Exclude from the context, or include</source>
        <translation>从上下文排除，或包含</translation>
    </message>
    <message>
        <source>Start the context here</source>
        <translation>从这里开始上下文</translation>
    </message>
    <message>
        <source>Start the context at the beginning</source>
        <translation>从头开始上下文</translation>
    </message>
    <message>
        <source>Delete the message</source>
        <translation>删除消息</translation>
    </message>
    <message>
        <source>Search everything…</source>
        <translation>搜索全部…</translation>
    </message>
    <message>
        <source>Filter the list of threads</source>
        <translation>筛选对话列表</translation>
    </message>
    <message>
        <source>Find in thread</source>
        <translation>在对话中查找</translation>
    </message>
    <message>
        <source>Next match</source>
        <translation>下一个匹配</translation>
    </message>
    <message>
        <source>Previous match</source>
        <translation>上一个匹配</translation>
    </message>
    <message>
        <source>Show the questions of this thread</source>
        <translation>显示此对话的问题</translation>
    </message>
    <message>
        <source>Jump to a date…</source>
        <translation>跳转到日期…</translation>
    </message>
    <message>
        <source>Go to the composer</source>
        <translation>转到输入框</translation>
    </message>
    <message>
        <source>Previous thread</source>
        <translation>上一个对话</translation>
    </message>
    <message>
        <source>Next thread</source>
        <translation>下一个对话</translation>
    </message>
    <message>
        <source>Next part of the window</source>
        <translation>窗口的下一部分</translation>
    </message>
    <message>
        <source>Previous part of the window</source>
        <translation>窗口的上一部分</translation>
    </message>
    <message>
        <source>Show or hide the sidebar</source>
        <translation>显示或隐藏侧边栏</translation>
    </message>
    <message>
        <source>Show threads</source>
        <translation>显示对话</translation>
    </message>
    <message>
        <source>Show the archive</source>
        <translation>显示归档</translation>
    </message>
    <message>
        <source>Show the trash</source>
        <translation>显示回收站</translation>
    </message>
    <message>
        <source>Deleted messages…</source>
        <translation>已删除的消息…</translation>
    </message>
    <message>
        <source>Empty the trash…</source>
        <translation>清空回收站…</translation>
    </message>
    <message>
        <source>Sort threads by name or by last activity</source>
        <translation>按名称或最近活动排序对话</translation>
    </message>
    <message>
        <source>Group threads by project or by date</source>
        <translation>按项目或日期分组对话</translation>
    </message>
    <message>
        <source>Wider sidebar</source>
        <translation>加宽侧边栏</translation>
    </message>
    <message>
        <source>Narrower sidebar</source>
        <translation>缩窄侧边栏</translation>
    </message>
    <message>
        <source>Show or hide the inspector</source>
        <translation>显示或隐藏检查器</translation>
    </message>
    <message>
        <source>Show what the model will see</source>
        <translation>显示模型将看到的内容</translation>
    </message>
    <message>
        <source>Show the summary of older messages</source>
        <translation>显示较旧消息的摘要</translation>
    </message>
    <message>
        <source>Show what this thread used</source>
        <translation>显示此对话的用量</translation>
    </message>
    <message>
        <source>Show the tree of versions</source>
        <translation>显示版本树</translation>
    </message>
    <message>
        <source>Show the artifacts of this thread</source>
        <translation>显示此对话的制品</translation>
    </message>
    <message>
        <source>Switch theme</source>
        <translation>切换主题</translation>
    </message>
    <message>
        <source>Larger text</source>
        <translation>放大文字</translation>
    </message>
    <message>
        <source>Smaller text</source>
        <translation>缩小文字</translation>
    </message>
    <message>
        <source>Normal text size</source>
        <translation>正常文字大小</translation>
    </message>
    <message>
        <source>Show or hide the menu bar</source>
        <translation>显示或隐藏菜单栏</translation>
    </message>
    <message>
        <source>Add a provider…</source>
        <translation>添加提供商…</translation>
    </message>
    <message>
        <source>Tools…</source>
        <translation>工具…</translation>
    </message>
    <message>
        <source>Manage models…</source>
        <translation>管理模型…</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>导入…</translation>
    </message>
    <message>
        <source>Back up now</source>
        <translation>立即备份</translation>
    </message>
    <message>
        <source>Restore a backup…</source>
        <translation>恢复备份…</translation>
    </message>
    <message>
        <source>Check the database</source>
        <translation>检查数据库</translation>
    </message>
    <message>
        <source>Repair the database</source>
        <translation>修复数据库</translation>
    </message>
    <message>
        <source>Quick question</source>
        <translation>快速提问</translation>
    </message>
    <message>
        <source>All commands…</source>
        <translation>所有命令…</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>设置…</translation>
    </message>
    <message>
        <source>Team sync…</source>
        <translation>团队同步…</translation>
    </message>
    <message>
        <source>Join a workspace…</source>
        <translation>加入工作区…</translation>
    </message>
    <message>
        <source>Invite to the workspace…</source>
        <translation>邀请加入工作区…</translation>
    </message>
    <message>
        <source>Sync now</source>
        <translation>立即同步</translation>
    </message>
    <message>
        <source>Details of team sync…</source>
        <translation>团队同步详情…</translation>
    </message>
    <message>
        <source>Usage…</source>
        <translation>用量…</translation>
    </message>
    <message>
        <source>Messages that wait to be sent…</source>
        <translation>等待发送的消息…</translation>
    </message>
    <message>
        <source>Limits…</source>
        <translation>限额…</translation>
    </message>
    <message>
        <source>Report a problem…</source>
        <translation>报告问题…</translation>
    </message>
    <message>
        <source>Updates…</source>
        <translation>更新…</translation>
    </message>
    <message>
        <source>About ChatDesk</source>
        <translation>关于 ChatDesk</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出</translation>
    </message>
    <message>
        <source>Thread</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Project</source>
        <translation>项目</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>消息</translation>
    </message>
    <message>
        <source>Go</source>
        <translation>转到</translation>
    </message>
    <message>
        <source>View</source>
        <translation>视图</translation>
    </message>
    <message>
        <source>Application</source>
        <translation>应用程序</translation>
    </message>
    <message>
        <source>These keys cannot be used.</source>
        <translation>不能使用这些按键。</translation>
    </message>
    <message>
        <source>{keys} is needed for writing and moving about. Add Ctrl or Alt.</source>
        <translation>{keys} 用于输入和移动。请加上 Ctrl 或 Alt。</translation>
    </message>
    <message>
        <source>{keys} is needed in every text field.</source>
        <translation>每个文本框都需要 {keys}。</translation>
    </message>
    <message>
        <source>{keys} belongs to the system and would not reach ChatDesk.</source>
        <translation>{keys} 属于系统，不会传到 ChatDesk。</translation>
    </message>
    <message>
        <source>There is no finished message here.</source>
        <translation>这里没有已完成的消息。</translation>
    </message>
    <message>
        <source>There is no finished answer here.</source>
        <translation>这里没有已完成的回答。</translation>
    </message>
    <message>
        <source>Shorter</source>
        <translation>更短</translation>
    </message>
    <message>
        <source>Longer</source>
        <translation>更长</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Copy selection</source>
        <translation>复制所选内容</translation>
    </message>
    <message>
        <source>Copy as Markdown</source>
        <translation>复制为 Markdown</translation>
    </message>
    <message>
        <source>Copy as plain text</source>
        <translation>复制为纯文本</translation>
    </message>
    <message>
        <source>Copy as rich text</source>
        <translation>复制为富文本</translation>
    </message>
    <message>
        <source>Copy link</source>
        <translation>复制链接</translation>
    </message>
    <message>
        <source>Quote</source>
        <translation>引用</translation>
    </message>
    <message>
        <source>Quote selection</source>
        <translation>引用所选内容</translation>
    </message>
    <message>
        <source>Remember selection…</source>
        <translation>记住所选内容…</translation>
    </message>
    <message>
        <source>Open as artifact</source>
        <translation>作为制品打开</translation>
    </message>
    <message>
        <source>No message in view has a file, or code of 15 lines or more.</source>
        <translation>当前可见的消息都没有文件或 15 行以上的代码。</translation>
    </message>
    <message>
        <source>Open page in browser</source>
        <translation>在浏览器中打开页面</translation>
    </message>
    <message>
        <source>No message in view has a block of HTML.</source>
        <translation>当前可见的消息都没有 HTML 块。</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>回答</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>备注</translation>
    </message>
    <message>
        <source>Reasoning</source>
        <translation>推理</translation>
    </message>
    <message>
        <source>Tool call</source>
        <translation>工具调用</translation>
    </message>
    <message>
        <source>Image: {name}</source>
        <translation>图片：{name}</translation>
    </message>
    <message>
        <source>File: {name}</source>
        <translation>文件：{name}</translation>
    </message>
    <message>
        <source>Image: {name} ({problem})</source>
        <translation>图片：{name}（{problem}）</translation>
    </message>
    <message>
        <source>File: {name} ({problem})</source>
        <translation>文件：{name}（{problem}）</translation>
    </message>
    <message>
        <source>attachment</source>
        <translation>附件</translation>
    </message>
    <message>
        <source>its bytes are missing or damaged</source>
        <translation>内容缺失或已损坏</translation>
    </message>
    <message>
        <source>at an unknown time</source>
        <translation>时间未知</translation>
    </message>
    <message>
        <source>{year}-{month}-{day} {hour}:{minute} UTC</source>
        <translation>{year}-{month}-{day} {hour}:{minute} UTC</translation>
    </message>
    <message>
        <source>The link “{words}” leads to {place}.</source>
        <translation>链接“{words}”指向 {place}。</translation>
    </message>
    <message>
        <source>More links of this message lead elsewhere than their words say.</source>
        <translation>此消息中还有其他链接的去向与文字不符。</translation>
    </message>
    <message>
        <source>Answer</source>
        <comment>verb</comment>
        <translation>回答</translation>
    </message>
    <message>
        <source>Regenerate</source>
        <translation>重新生成</translation>
    </message>
    <message>
        <source>Answer with another model…</source>
        <translation>用其他模型回答…</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>编辑</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>There is no answer here that could be continued.</source>
        <translation>这里没有可继续的回答。</translation>
    </message>
    <message>
        <source>Decide about open calls…</source>
        <translation>决定待处理的调用…</translation>
    </message>
    <message>
        <source>Review proposed changes…</source>
        <translation>查看更改建议…</translation>
    </message>
    <message>
        <source>No answer here proposes changes to files.</source>
        <translation>这里没有回答建议更改文件。</translation>
    </message>
    <message>
        <source>Edit answer</source>
        <translation>编辑回答</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>There is no earlier version of this message.</source>
        <translation>此消息没有更早的版本。</translation>
    </message>
    <message>
        <source>There is no later version of this message.</source>
        <translation>此消息没有更晚的版本。</translation>
    </message>
    <message>
        <source>This answer has one version only.</source>
        <translation>此回答只有一个版本。</translation>
    </message>
    <message>
        <source>Pin into the context</source>
        <translation>固定到上下文</translation>
    </message>
    <message>
        <source>Unpin from the context</source>
        <translation>从上下文取消固定</translation>
    </message>
    <message>
        <source>Exclude from the context</source>
        <translation>从上下文排除</translation>
    </message>
    <message>
        <source>Include in the context</source>
        <translation>包含到上下文</translation>
    </message>
    <message>
        <source>Let the model see it</source>
        <translation>让模型看到它</translation>
    </message>
    <message>
        <source>Include in the context again</source>
        <translation>重新包含到上下文</translation>
    </message>
    <message>
        <source>The context starts here already.</source>
        <translation>上下文已从这里开始。</translation>
    </message>
    <message>
        <source>The context starts at the beginning already.</source>
        <translation>上下文已从头开始。</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
    <message>
        <source>Erase for everyone…</source>
        <translation>为所有人抹除…</translation>
    </message>
    <message>
        <source>Open in a new window</source>
        <translation>在新窗口中打开</translation>
    </message>
    <message>
        <source>Open beside</source>
        <translation>并排打开</translation>
    </message>
    <message>
        <source>Close this chat or window</source>
        <translation>关闭此聊天或窗口</translation>
    </message>
    <message>
        <source>Go to the chat at the left</source>
        <translation>转到左侧的聊天</translation>
    </message>
    <message>
        <source>Go to the chat at the right</source>
        <translation>转到右侧的聊天</translation>
    </message>
    <message>
        <source>Keep this one</source>
        <translation>保留这个</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Edited answer</source>
        <translation>已编辑的回答</translation>
    </message>
    <message>
        <source>Stop the edited answer</source>
        <translation>停止已编辑的回答</translation>
    </message>
    <message>
        <source>Keep the edited answer</source>
        <translation>保留已编辑的回答</translation>
    </message>
    <message>
        <source>Keep the answer</source>
        <translation>保留回答</translation>
    </message>
    <message>
        <source>Answer of {model}</source>
        <translation>{model} 的回答</translation>
    </message>
    <message>
        <source>Stop the answer of {model}</source>
        <translation>停止 {model} 的回答</translation>
    </message>
    <message>
        <source>Keep the answer of {model}</source>
        <translation>保留 {model} 的回答</translation>
    </message>
    <message>
        <source>Compared answers</source>
        <translation>比较的回答</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>返回</translation>
    </message>
    <message>
        <source>Back to the thread; all answers stay as versions</source>
        <translation>返回对话；所有回答都作为版本保留</translation>
    </message>
    <message>
        <source>Your question: {question}</source>
        <translation>你的问题：{question}</translation>
    </message>
    <message>
        <source>{name}, being copied</source>
        <translation>{name}，正在复制</translation>
    </message>
    <message>
        <source>Remove {file}</source>
        <translation>移除 {file}</translation>
    </message>
    <message>
        <source>Remove (Delete)</source>
        <translation>移除 (Delete)</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>{name} is attached</source>
        <translation>已附加 {name}</translation>
    </message>
    <message>
        <source>{name} is removed</source>
        <translation>已移除 {name}</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>发送</translation>
    </message>
    <message>
        <source>Stop the answer (Esc)</source>
        <translation>停止回答 (Esc)</translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation>附加文件</translation>
    </message>
    <message>
        <source>Files, prompts, parameters and tools</source>
        <translation>文件、提示词、参数和工具</translation>
    </message>
    <message>
        <source>Wait for the answer, or press Esc to stop it. Your text is kept.</source>
        <translation>请等待回答，或按 Esc 停止。文字已保留。</translation>
    </message>
    <message>
        <source>{size} is more than one message can hold ({limit}). Split the text.</source>
        <translation>{size} 超过一条消息的容量（{limit}）。请拆分文字。</translation>
    </message>
    <message>
        <source>Send after the answer</source>
        <translation>回答后发送</translation>
    </message>
    <message>
        <source>The files are still being copied. The message is sent when they are there.</source>
        <translation>文件仍在复制。复制完成后发送消息。</translation>
    </message>
    <message>
        <source>Not sent yet: see the note above your text, then send again.</source>
        <translation>尚未发送：请看文字上方的提示，然后重新发送。</translation>
    </message>
    <message>
        <source>Prompts</source>
        <translation>提示词</translation>
    </message>
    <message numerus="yes">
        <source>{count} prompts, arrows choose, Enter inserts, Esc closes.</source>
        <comment>{count} prompt, arrows choose, Enter inserts, Esc closes.</comment>
        <translation>
            <numerusform>{count} 个提示词，方向键选择，Enter 插入，Esc 关闭。</numerusform>
        </translation>
    </message>
    <message>
        <source>Edit prompts…</source>
        <translation>编辑提示词…</translation>
    </message>
    <message>
        <source>All templates and system prompts</source>
        <translation>所有模板和系统提示词</translation>
    </message>
    <message>
        <source>Find a prompt</source>
        <translation>查找提示词</translation>
    </message>
    <message>
        <source>No prompt matches.</source>
        <translation>没有匹配的提示词。</translation>
    </message>
    <message>
        <source>{item}, {row} of {count}</source>
        <translation>{item}，第 {row} 个，共 {count} 个</translation>
    </message>
    <message>
        <source>{leave}: {state}</source>
        <translation>{leave}：{state}</translation>
    </message>
    <message>
        <source>Move up: {text}</source>
        <translation>上移：{text}</translation>
    </message>
    <message>
        <source>Send it before the one above</source>
        <translation>在上一个之前发送</translation>
    </message>
    <message>
        <source>Take it back into the text below</source>
        <translation>将其放回下方的文字中</translation>
    </message>
    <message>
        <source>Send now</source>
        <translation>立即发送</translation>
    </message>
    <message>
        <source>Stop the answer, keep what came, and ask this</source>
        <translation>停止回答，保留已到达的内容，并提出此问题</translation>
    </message>
    <message numerus="yes">
        <source>{count} more wait…</source>
        <comment>{count} more waits…</comment>
        <translation>
            <numerusform>还有 {count} 个等待中…</numerusform>
        </translation>
    </message>
    <message>
        <source>Save these files as a zip and send it with a description of what went wrong. They contain no messages, titles, file names or keys. Look through them first; nothing is sent automatically.</source>
        <translation>请将这些文件保存为 zip，并附上问题描述一起发送。其中不含消息、标题、文件名或密钥。请先查看；不会自动发送任何内容。</translation>
    </message>
    <message>
        <source>Report a problem</source>
        <translation>报告问题</translation>
    </message>
    <message>
        <source>Files of the report</source>
        <translation>报告的文件</translation>
    </message>
    <message>
        <source>Text of the file</source>
        <translation>文件的文字</translation>
    </message>
    <message>
        <source>Collecting…</source>
        <translation>正在收集…</translation>
    </message>
    <message>
        <source>Save as a zip…</source>
        <translation>保存为 zip…</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message numerus="yes">
        <source>{count} files, {size} before packing</source>
        <comment>{count} file, {size} before packing</comment>
        <translation>
            <numerusform>{count} 个文件，打包前 {size}</numerusform>
        </translation>
    </message>
    <message>
        <source>(The end of it; the zip has all {count} characters.)
…{end}</source>
        <translation>（末尾部分；zip 中有全部 {count} 个字符。）
…{end}</translation>
    </message>
    <message>
        <source>What you typed is not saved. Press Esc again to leave without it.</source>
        <translation>你输入的内容尚未保存。再按一次 Esc 将不保存并关闭。</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>选择…</translation>
    </message>
    <message>
        <source>Choose: {name}</source>
        <translation>选择：{name}</translation>
    </message>
    <message>
        <source>Remove: {name}</source>
        <translation>移除：{name}</translation>
    </message>
    <message>
        <source>Press the keys…</source>
        <translation>请按下按键…</translation>
    </message>
    <message>
        <source>{keys}. Press Enter to choose others, Delete to remove them, Esc to keep them.</source>
        <translation>{keys}。按 Enter 选择其他按键，按 Delete 移除，按 Esc 保留。</translation>
    </message>
    <message>
        <source>Copy report</source>
        <translation>复制报告</translation>
    </message>
    <message>
        <source>Show file</source>
        <translation>显示文件</translation>
    </message>
    <message>
        <source>The report could not be read: {reason}.</source>
        <translation>无法读取报告：{reason}。</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>已复制</translation>
    </message>
    <message>
        <source>Version {version}, with Python {python} and Qt {qt_version}.

Inter and JetBrains Mono are used under the SIL Open Font License, the Lucide icons under the ISC licence.</source>
        <translation>版本 {version}，使用 Python {python} 和 Qt {qt_version}。

Inter 和 JetBrains Mono 依据 SIL Open Font License 使用，Lucide 图标依据 ISC 许可证使用。</translation>
    </message>
    <message>
        <source>Send the message</source>
        <translation>发送消息</translation>
    </message>
    <message>
        <source>Enter</source>
        <translation>Enter</translation>
    </message>
    <message>
        <source>New line in the composer</source>
        <translation>在输入框中换行</translation>
    </message>
    <message>
        <source>Shift+Enter</source>
        <translation>Shift+Enter</translation>
    </message>
    <message>
        <source>Walk through threads</source>
        <translation>在对话间移动</translation>
    </message>
    <message>
        <source>Up or Down in the list</source>
        <translation>列表中按向上或向下键</translation>
    </message>
    <message>
        <source>Open the thread</source>
        <translation>打开对话</translation>
    </message>
    <message>
        <source>Enter in the list</source>
        <translation>列表中 Enter</translation>
    </message>
    <message>
        <source>Mark threads</source>
        <translation>标记对话</translation>
    </message>
    <message>
        <source>Shift+Down or Ctrl+Space in the list</source>
        <translation>列表中 Shift+向下键或 Ctrl+空格</translation>
    </message>
    <message>
        <source>Menu of a thread</source>
        <translation>对话的菜单</translation>
    </message>
    <message>
        <source>Menu in the list</source>
        <translation>列表中按菜单键</translation>
    </message>
    <message>
        <source>Between messages</source>
        <translation>在消息间移动</translation>
    </message>
    <message>
        <source>Ctrl+Down or Ctrl+Up in the thread</source>
        <translation>对话中 Ctrl+向下键或 Ctrl+向上键</translation>
    </message>
    <message>
        <source>Links and buttons</source>
        <translation>链接和按钮</translation>
    </message>
    <message>
        <source>Tab in the thread</source>
        <translation>对话中 Tab</translation>
    </message>
    <message>
        <source>Menu of the message</source>
        <translation>消息的菜单</translation>
    </message>
    <message>
        <source>Enter or Menu in the thread</source>
        <translation>对话中 Enter 或菜单键</translation>
    </message>
    <message>
        <source>Walk through the text</source>
        <translation>在文字中移动</translation>
    </message>
    <message>
        <source>F7 in the thread</source>
        <translation>对话中 F7</translation>
    </message>
    <message>
        <source>Next group of results</source>
        <translation>下一组结果</translation>
    </message>
    <message>
        <source>Tab in the search</source>
        <translation>搜索中 Tab</translation>
    </message>
    <message>
        <source>Press the new keys for “{name}”.</source>
        <translation>请按下“{name}”的新按键。</translation>
    </message>
    <message>
        <source>Use these</source>
        <translation>使用这些</translation>
    </message>
    <message>
        <source>{keys} belongs to “{name}”, which would lose it.</source>
        <translation>{keys} 属于“{name}”，它将失去该按键。</translation>
    </message>
    <message>
        <source>Take over</source>
        <translation>接管</translation>
    </message>
    <message>
        <source>{keys} is free.</source>
        <translation>{keys} 可用。</translation>
    </message>
    <message>
        <source>In place</source>
        <translation>所在位置</translation>
    </message>
    <message>
        <source>changed</source>
        <translation>已更改</translation>
    </message>
    <message>
        <source>changed keys</source>
        <translation>已更改的按键</translation>
    </message>
    <message>
        <source>no keys</source>
        <translation>无按键</translation>
    </message>
    <message>
        <source>usual keys</source>
        <translation>默认按键</translation>
    </message>
    <message>
        <source>Find a command or keys</source>
        <translation>查找命令或按键</translation>
    </message>
    <message>
        <source>Commands and their keys</source>
        <translation>命令及其按键</translation>
    </message>
    <message>
        <source>Enter changes the keys, Delete takes them away</source>
        <translation>Enter 更改按键，Delete 移除按键</translation>
    </message>
    <message>
        <source>a very long answer (some 6,000 words)</source>
        <translation>一个非常长的回答（约 6,000 词）</translation>
    </message>
    <message>
        <source>code in several languages</source>
        <translation>多种语言的代码</translation>
    </message>
    <message>
        <source>tables, narrow and wide</source>
        <translation>窄表格和宽表格</translation>
    </message>
    <message>
        <source>formulas</source>
        <translation>公式</translation>
    </message>
    <message>
        <source>a picture, which is kept as a file of the answer</source>
        <translation>一张图片，会保存为回答的文件</translation>
    </message>
    <message>
        <source>every kind of Markdown</source>
        <translation>各种 Markdown</translation>
    </message>
    <message>
        <source>eight pieces a second: time to press Stop</source>
        <translation>每秒八段：有时间按停止</translation>
    </message>
    <message>
        <source>too many requests: a wait that is announced, then an error</source>
        <translation>请求过多：先预告等待，然后报错</translation>
    </message>
    <message>
        <source>the same wait, then an answer</source>
        <translation>同样的等待，然后给出回答</translation>
    </message>
    <message>
        <source>the connection breaks in the middle; Continue finishes</source>
        <translation>连接在中途断开；继续可完成</translation>
    </message>
    <message>
        <source>thoughts before the answer</source>
        <translation>回答前的思考</translation>
    </message>
    <message>
        <source>a tool call</source>
        <translation>一次工具调用</translation>
    </message>
    <message>
        <source>There is no demo called {name}. These exist:</source>
        <translation>没有名为 {name} 的演示。现有的有：</translation>
    </message>
    <message>
        <source>Try one of these:</source>
        <translation>可以试试这些：</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>命令</translation>
    </message>
    <message>
        <source>What it shows</source>
        <translation>展示内容</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>按键</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>Change keys…</source>
        <translation>更改按键…</translation>
    </message>
    <message>
        <source>Take away</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>重置</translation>
    </message>
    <message>
        <source>Reset all</source>
        <translation>全部重置</translation>
    </message>
    <message>
        <source>New keys</source>
        <translation>新按键</translation>
    </message>
    <message>
        <source>An unexpected failure</source>
        <translation>意外故障</translation>
    </message>
    <message>
        <source>Something went wrong in ChatDesk. Your messages are kept.</source>
        <translation>ChatDesk 出了点问题。消息已保留。</translation>
    </message>
    <message>
        <source>Something went wrong in ChatDesk. Your messages are kept, and you can go on. A report was written, without your messages. To send it to the developers, choose “Report a problem…” in the menu: you see everything first.</source>
        <translation>ChatDesk 出了点问题。消息已保留，可以继续使用。已写入一份不含消息的报告。要将其发送给开发者，请在菜单中选择“报告问题…”：你会先看到全部内容。</translation>
    </message>
    <message>
        <source>Details…</source>
        <translation>详情…</translation>
    </message>
    <message>
        <source>This text is too long to be drawn. Its source is shown.</source>
        <translation>此文字太长，无法绘制。显示其源代码。</translation>
    </message>
    <message>
        <source>They differ too much to be compared line by line; what differs is shown as replaced.</source>
        <translation>两者差异太大，无法逐行比较；不同之处显示为替换。</translation>
    </message>
    <message numerus="yes">
        <source>The first {count} rows are shown.</source>
        <comment>The first {count} row is shown.</comment>
        <translation>
            <numerusform>显示前 {count} 行。</numerusform>
        </translation>
    </message>
    <message>
        <source>{added}, {removed}.</source>
        <translation>{added}，{removed}。</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines added</source>
        <comment>{count} line added</comment>
        <translation>
            <numerusform>新增 {count} 行</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} lines removed</source>
        <comment>{count} line removed</comment>
        <translation>
            <numerusform>删除 {count} 行</numerusform>
        </translation>
    </message>
    <message>
        <source>No line differs.</source>
        <translation>没有不同的行。</translation>
    </message>
    <message>
        <source>in a version of the thread that is not shown</source>
        <translation>在对话未显示的版本中</translation>
    </message>
    <message>
        <source>This text is too large to be edited here. Save it, edit it elsewhere, and attach the result.</source>
        <translation>此文字太大，无法在这里编辑。请保存它，在别处编辑，然后附加结果。</translation>
    </message>
    <message>
        <source>Your unfinished edit is back</source>
        <translation>未完成的编辑已恢复</translation>
    </message>
    <message>
        <source>Your changes were left out</source>
        <translation>已略去你的更改</translation>
    </message>
    <message>
        <source>Edit again</source>
        <translation>再次编辑</translation>
    </message>
    <message>
        <source>Your edit of {name} is a version of it</source>
        <translation>你对 {name} 的编辑是它的一个版本</translation>
    </message>
    <message>
        <source>Artifacts are stored on disk; a temporary chat is not.</source>
        <translation>制品存储在磁盘上；临时聊天则不会。</translation>
    </message>
    <message>
        <source>Change the attached file {name} and answer with all of it in one code block.</source>
        <translation>更改附加的文件 {name}，并在一个代码块中给出其全部内容。</translation>
    </message>
    <message>
        <source>Removed from the list</source>
        <translation>已从列表中移除</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>Answer with another model</source>
        <translation>用其他模型回答</translation>
    </message>
    <message>
        <source>Pasted image.png</source>
        <translation>粘贴的图像.png</translation>
    </message>
    <message>
        <source>Files are stored on disk; a temporary chat is not.</source>
        <translation>文件存储在磁盘上；临时聊天则不会。</translation>
    </message>
    <message>
        <source>It is right</source>
        <translation>读取正确</translation>
    </message>
    <message>
        <source>Is “{sample}” in “{name}” read right?</source>
        <translation>“{name}”中的“{sample}”读取得对吗？</translation>
    </message>
    <message>
        <source>“{name}” is read as {encoding}: “{sample}”.</source>
        <translation>“{name}”按 {encoding} 读取：“{sample}”。</translation>
    </message>
    <message>
        <source>Of “{name}” only the name is sent.</source>
        <translation>“{name}”仅发送名称。</translation>
    </message>
    <message>
        <source>“{name}”: {problem}</source>
        <translation>“{name}”：{problem}</translation>
    </message>
    <message>
        <source>Read otherwise…</source>
        <translation>用其他编码读取…</translation>
    </message>
    <message>
        <source>Not sent yet: say above your text whether “{name}” is read right.</source>
        <translation>尚未发送：请在输入框上方确认“{name}”读取得是否正确。</translation>
    </message>
    <message>
        <source>The picture in the clipboard cannot be read.</source>
        <translation>无法读取剪贴板中的图片。</translation>
    </message>
    <message>
        <source>This thread has no message yet.</source>
        <translation>此对话还没有消息。</translation>
    </message>
    <message>
        <source>Nothing was written on that day or later.</source>
        <translation>该日及之后没有写过任何内容。</translation>
    </message>
    <message>
        <source>What goes to the trash can be brought back, at once with Ctrl+Z and later from the inspector&apos;s tree.</source>
        <translation>移到回收站的内容可以找回：立即按 Ctrl+Z，或之后从检查器的版本树中恢复。</translation>
    </message>
    <message>
        <source>Delete this message only, or also those after it?</source>
        <translation>仅删除此消息，还是连同其后的消息？</translation>
    </message>
    <message>
        <source>Do not ask again</source>
        <translation>不再询问</translation>
    </message>
    <message>
        <source>Settings can make ChatDesk ask again.</source>
        <translation>可在设置中让 ChatDesk 再次询问。</translation>
    </message>
    <message>
        <source>With later messages</source>
        <translation>连同后面的消息</translation>
    </message>
    <message>
        <source>This message only</source>
        <translation>仅此消息</translation>
    </message>
    <message>
        <source>Deleted messages</source>
        <translation>已删除的消息</translation>
    </message>
    <message>
        <source>Restored messages go back to their place.</source>
        <translation>恢复的消息会回到原处。</translation>
    </message>
    <message>
        <source>No message is in the trash.</source>
        <translation>回收站中没有消息。</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>恢复</translation>
    </message>
    <message>
        <source>Show the thread</source>
        <translation>显示对话</translation>
    </message>
    <message>
        <source>{day} {time}</source>
        <translation>{day} {time}</translation>
    </message>
    <message>
        <source>Without text</source>
        <translation>无文字</translation>
    </message>
    <message>
        <source>Question in “{title}”, deleted {when}</source>
        <translation>“{title}”中的问题，删除于 {when}</translation>
    </message>
    <message>
        <source>Answer in “{title}”, deleted {when}</source>
        <translation>“{title}”中的回答，删除于 {when}</translation>
    </message>
    <message>
        <source>Question and {more} more in “{title}”, deleted {when}</source>
        <translation>“{title}”中的问题及另外 {more} 条，删除于 {when}</translation>
    </message>
    <message>
        <source>Answer and {more} more in “{title}”, deleted {when}</source>
        <translation>“{title}”中的回答及另外 {more} 条，删除于 {when}</translation>
    </message>
    <message>
        <source>Message restored</source>
        <translation>消息已恢复</translation>
    </message>
    <message>
        <source>It leaves the server, and every computer when it syncs next. This cannot be undone. What stays: backups of the server and of computers until they are replaced, private copies of members who left, and what somebody copied or exported.</source>
        <translation>它会离开服务器，并在下次同步时离开每台计算机。此操作无法撤销。仍会留下的有：服务器和计算机的备份（直到被替换）、已离开成员的私有副本，以及他人复制或导出的内容。</translation>
    </message>
    <message>
        <source>Erase this thread for everyone?</source>
        <translation>为所有人抹除此对话吗？</translation>
    </message>
    <message>
        <source>Erase this message for everyone?</source>
        <translation>为所有人抹除此消息吗？</translation>
    </message>
    <message>
        <source>Erase for everyone</source>
        <translation>为所有人抹除</translation>
    </message>
    <message>
        <source>It is in the trash, and is erased as soon as the server has taken it.</source>
        <translation>它在回收站中，服务器接受后即被抹除。</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages go, with attached files and the summaries that mention them.</source>
        <comment>{count} message goes, with attached files and the summaries that mention them.</comment>
        <translation>
            <numerusform>{count} 条消息将消失，连同附加的文件和提到它们的摘要。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages of others stay in the trash: only owners and admins of the project erase what others wrote.</source>
        <comment>{count} message of others stays in the trash: only owners and admins of the project erase what others wrote.</comment>
        <translation>
            <numerusform>其他人的 {count} 条消息留在回收站：只有项目的所有者和管理员可以抹除他人所写的内容。</numerusform>
        </translation>
    </message>
    <message>
        <source>It is not sent, because this model cannot see images.</source>
        <translation>它不会被发送，因为这个模型看不了图片。</translation>
    </message>
    <message>
        <source>It is empty.</source>
        <translation>它是空的。</translation>
    </message>
    <message>
        <source>Its middle is left out, because it does not fit.</source>
        <translation>因为放不下，省略了中间部分。</translation>
    </message>
    <message>
        <source>this model</source>
        <translation>此模型</translation>
    </message>
    <message numerus="yes">
        <source>{count} images are not sent, because {model} cannot see images: only their names are.</source>
        <comment>The image is not sent, because {model} cannot see images: only its name is.</comment>
        <translation>
            <numerusform>{model} 看不了图片，因此不发送 {count} 张图片，只发送名称。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>It is not known whether {model} sees images. {count} are sent.</source>
        <comment>It is not known whether {model} sees images. The image is sent.</comment>
        <translation>
            <numerusform>不知道 {model} 能否看图片。将发送 {count} 张。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The middle of {count} files is left out, because they do not fit.</source>
        <comment>The middle of “{name}” is left out, because it does not fit.</comment>
        <translation>
            <numerusform>因为放不下，省略了 {count} 个文件的中间部分。</numerusform>
        </translation>
    </message>
    <message>
        <source>The size of the context of {model} is not known: {count} tokens are assumed.</source>
        <translation>不知道 {model} 的上下文大小：按 {count} 个词元计算。</translation>
    </message>
    <message numerus="yes">
        <source>It is not known whether {models} see images; they are sent.</source>
        <comment>It is not known whether {models} sees images; they are sent.</comment>
        <translation>
            <numerusform>不知道 {models} 能否看图片；图片会被发送。</numerusform>
        </translation>
    </message>
    <message>
        <source>Do not send images</source>
        <translation>不发送图片</translation>
    </message>
    <message>
        <source>Ask {model} instead</source>
        <translation>改问 {model}</translation>
    </message>
    <message numerus="yes">
        <source>They can</source>
        <comment>It can</comment>
        <translation>
            <numerusform>能看到</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{models} cannot see images: only their names are sent.</source>
        <comment>{models} cannot see images: only their names are sent.</comment>
        <translation>
            <numerusform>{models} 看不到图像：仅发送其名称。</numerusform>
        </translation>
    </message>
    <message>
        <source>Jump to a date</source>
        <translation>跳转到日期</translation>
    </message>
    <message>
        <source>From {first} to {last}</source>
        <translation>从 {first} 到 {last}</translation>
    </message>
    <message>
        <source>Date</source>
        <translation>日期</translation>
    </message>
    <message>
        <source>Calendar</source>
        <translation>日历</translation>
    </message>
    <message>
        <source>Days</source>
        <translation>日期</translation>
    </message>
    <message>
        <source>Previous month</source>
        <translation>上个月</translation>
    </message>
    <message>
        <source>Next month</source>
        <translation>下个月</translation>
    </message>
    <message>
        <source>Send or cancel what you are editing first.</source>
        <translation>请先发送或取消正在编辑的内容。</translation>
    </message>
    <message>
        <source>Added as a note</source>
        <translation>已添加为备注</translation>
    </message>
    <message>
        <source>Nothing was changed, so the answer stays as it is.</source>
        <translation>未做任何更改，因此回答保持原样。</translation>
    </message>
    <message>
        <source>Stop comparing</source>
        <translation>停止比较</translation>
    </message>
    <message>
        <source>A temporary chat cannot have branches.</source>
        <translation>临时聊天不能有分支。</translation>
    </message>
    <message>
        <source>branch</source>
        <translation>创建分支</translation>
    </message>
    <message>
        <source>This is a branch. The thread it came from stays as it is.</source>
        <translation>这是一个分支。它所来自的对话保持原样。</translation>
    </message>
    <message>
        <source>Sending makes a version that is marked as yours.</source>
        <translation>发送会创建一个标为你所写的版本。</translation>
    </message>
    <message>
        <source>Editing an answer.</source>
        <translation>正在编辑回答。</translation>
    </message>
    <message>
        <source>Editing a question.</source>
        <translation>正在编辑问题。</translation>
    </message>
    <message>
        <source>Editing your last question. Sending makes a new version.</source>
        <translation>正在编辑你的上一个问题。发送会创建新版本。</translation>
    </message>
    <message>
        <source>leave the edit</source>
        <translation>离开编辑</translation>
    </message>
    <message>
        <source>Wait for the answer, or press Esc to stop it. Then it can be edited.</source>
        <translation>请等待回答，或按 Esc 停止。然后即可编辑。</translation>
    </message>
    <message numerus="yes">
        <source>{count} later messages stay in version {version}.</source>
        <comment>{count} later message stays in version {version}.</comment>
        <translation>
            <numerusform>后面的 {count} 条消息留在版本 {version} 中。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Comparing {count} models</source>
        <comment>Comparing {count} model</comment>
        <translation>
            <numerusform>正在比较 {count} 个模型</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} answers this question.</source>
        <translation>{name} 回答此问题。</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>温度</translation>
    </message>
    <message>
        <source>Low is steady, high is varied.</source>
        <translation>低则稳定，高则多变。</translation>
    </message>
    <message>
        <source>How many of the likely words are considered.</source>
        <translation>考虑多少个可能的词。</translation>
    </message>
    <message>
        <source>In tokens. This much of the context is kept free.</source>
        <translation>以 token 计。上下文中会空出这么多。</translation>
    </message>
    <message>
        <source>Reasoning effort</source>
        <translation>推理强度</translation>
    </message>
    <message>
        <source>How long the model thinks before it answers.</source>
        <translation>模型回答之前思考多久。</translation>
    </message>
    <message>
        <source>Stop words</source>
        <translation>停止词</translation>
    </message>
    <message>
        <source>The answer ends before any of these. One a line, at most four.</source>
        <translation>回答在其中任何一个之前结束。每行一个，最多四个。</translation>
    </message>
    <message>
        <source>Minimal</source>
        <translation>极低</translation>
    </message>
    <message>
        <source>Low</source>
        <translation>低</translation>
    </message>
    <message>
        <source>Medium</source>
        <translation>中</translation>
    </message>
    <message>
        <source>High</source>
        <translation>高</translation>
    </message>
    <message numerus="yes">
        <source>{count} parameters</source>
        <comment>{count} parameter</comment>
        <translation>
            <numerusform>{count} 个参数</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} {value}</source>
        <translation>{name} {value}</translation>
    </message>
    <message>
        <source>Empty means: {value}.</source>
        <translation>留空表示：{value}。</translation>
    </message>
    <message>
        <source>Same as the project: {value}</source>
        <translation>与项目相同：{value}</translation>
    </message>
    <message>
        <source>Up to {number}</source>
        <translation>最多 {number}</translation>
    </message>
    <message>
        <source>Model&apos;s default</source>
        <translation>模型默认值</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Used whenever this assistant answers; what is empty follows the thread.</source>
        <translation>此助手回答时使用；留空的随对话设置。</translation>
    </message>
    <message>
        <source>Empties every field, so that the project&apos;s values apply.</source>
        <translation>清空所有字段，以便采用项目的值。</translation>
    </message>
    <message>
        <source>Empties every field, so that the model&apos;s own values apply.</source>
        <translation>清空所有字段，以便采用模型自己的值。</translation>
    </message>
    <message>
        <source>{title} must be a whole number, such as {example}.</source>
        <translation>{title}必须是整数，例如 {example}。</translation>
    </message>
    <message>
        <source>{title} must be a number, such as {example}.</source>
        <translation>{title}必须是数字，例如 {example}。</translation>
    </message>
    <message>
        <source>Parameters of this thread</source>
        <translation>此对话的参数</translation>
    </message>
    <message>
        <source>Parameters of the project {name}</source>
        <translation>项目 {name} 的参数</translation>
    </message>
    <message>
        <source>Parameters of {name}</source>
        <translation>{name} 的参数</translation>
    </message>
    <message>
        <source>Parameters of the assistant</source>
        <translation>助手的参数</translation>
    </message>
    <message>
        <source>The model</source>
        <translation>该模型</translation>
    </message>
    <message>
        <source>Used from the next answer on.</source>
        <translation>从下一个回答起使用。</translation>
    </message>
    <message>
        <source>Used in threads that have none of their own.</source>
        <translation>用于没有自己参数的对话。</translation>
    </message>
    <message>
        <source>{others} or {last}</source>
        <translation>{others}或{last}</translation>
    </message>
    <message>
        <source>{model} has no {parameters}.</source>
        <translation>{model} 没有{parameters}。</translation>
    </message>
    <message>
        <source>Parameters: {parameters}</source>
        <translation>参数：{parameters}</translation>
    </message>
    <message>
        <source>change the parameters</source>
        <translation>更改参数</translation>
    </message>
    <message>
        <source>Saved. The next answer is made with these parameters.</source>
        <translation>已保存。下一个回答使用这些参数。</translation>
    </message>
    <message>
        <source>Saved for all threads of the project that have none of their own.</source>
        <translation>已保存，用于项目中没有自己参数的所有对话。</translation>
    </message>
    <message>
        <source>Send it there</source>
        <translation>发送到那里</translation>
    </message>
    <message>
        <source>Keep the temporary chat?</source>
        <translation>保留临时聊天吗？</translation>
    </message>
    <message>
        <source>Nothing of it is stored. Keep it as a thread like any other, or let it go for good.</source>
        <translation>它没有存储任何内容。可将其保留为普通对话，或永久放弃。</translation>
    </message>
    <message>
        <source>Do not keep</source>
        <translation>不保留</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>保留</translation>
    </message>
    <message>
        <source>Keep and go on</source>
        <translation>保留并继续</translation>
    </message>
    <message>
        <source>The chat is kept as soon as the answer is written.</source>
        <translation>回答写完后，此聊天将被保留。</translation>
    </message>
    <message>
        <source>Kept. It is a thread like any other now.</source>
        <translation>已保留。现在它是一个普通对话。</translation>
    </message>
    <message>
        <source>Temporary chat</source>
        <translation>临时聊天</translation>
    </message>
    <message>
        <source>Go to the temporary chat</source>
        <translation>转到临时聊天</translation>
    </message>
    <message>
        <source>Save code</source>
        <translation>保存代码</translation>
    </message>
    <message>
        <source>Save a copy</source>
        <translation>保存副本</translation>
    </message>
    <message>
        <source>Page of an answer</source>
        <translation>回答的页面</translation>
    </message>
    <message>
        <source>No browser could be opened.</source>
        <translation>无法打开浏览器。</translation>
    </message>
    <message>
        <source>Choose a browser in the settings of your system, or save the page as a file.</source>
        <translation>请在系统设置中选择浏览器，或将页面保存为文件。</translation>
    </message>
    <message>
        <source>Opened in your browser</source>
        <translation>已在浏览器中打开</translation>
    </message>
    <message>
        <source>Saved to {name}</source>
        <translation>已保存到 {name}</translation>
    </message>
    <message>
        <source>The message is unchanged.</source>
        <translation>消息未变。</translation>
    </message>
    <message>
        <source>Undone</source>
        <translation>已撤销</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>重做</translation>
    </message>
    <message>
        <source>Redo</source>
        <comment>a step</comment>
        <translation>重做</translation>
    </message>
    <message>
        <source>This cannot be undone: {label}.</source>
        <translation>无法撤销：{label}。</translation>
    </message>
    <message>
        <source>{words} Before it: {older}, which was left as it is.</source>
        <translation>{words} 在此之前：{older}，已保持原样。</translation>
    </message>
    <message>
        <source>Undo that, too</source>
        <translation>也撤销它</translation>
    </message>
    <message>
        <source>Redone</source>
        <translation>已重做</translation>
    </message>
    <message>
        <source>{what} in “{title}”: {label}</source>
        <translation>“{title}”中{what}：{label}</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages moved to the trash</source>
        <comment>Message moved to the trash</comment>
        <translation>
            <numerusform>{count} 条消息已移到回收站</numerusform>
        </translation>
    </message>
    <message>
        <source>your question</source>
        <translation>你的问题</translation>
    </message>
    <message>
        <source>your draft</source>
        <translation>你的草稿</translation>
    </message>
    <message>
        <source>your artifact</source>
        <translation>你的制品</translation>
    </message>
    <message numerus="yes">
        <source>{names} are not saved yet, but kept here. ChatDesk tries again.</source>
        <comment>{names} is not saved yet, but kept here. ChatDesk tries again.</comment>
        <translation>
            <numerusform>{names}尚未保存，但保留在此。ChatDesk 会重试。</numerusform>
        </translation>
    </message>
    <message>
        <source>Version {number} of {count}, edited by you</source>
        <translation>版本 {number}/{count}，由你编辑</translation>
    </message>
    <message>
        <source>Version {number} of {count}</source>
        <translation>版本 {number}/{count}</translation>
    </message>
    <message>
        <source>Version {number} of {count}, edited by {name}</source>
        <translation>版本 {number}/{count}，由 {name} 编辑</translation>
    </message>
    <message>
        <source>Version {number} of {count}, by {name}</source>
        <translation>版本 {number}/{count}，来自 {name}</translation>
    </message>
    <message>
        <source>Sent when the answer is complete:</source>
        <translation>回答完成后发送：</translation>
    </message>
    <message>
        <source>Not sent: the answer before was not completed. Send it now, or edit it.</source>
        <translation>未发送：之前的回答未完成。请立即发送，或编辑它。</translation>
    </message>
    <message>
        <source>There is only one model yet: add another in Settings</source>
        <translation>目前只有一个模型：请在“设置”中添加另一个</translation>
    </message>
    <message>
        <source>Kept. The other answers stay as versions.</source>
        <translation>已保留。其他回答作为版本保留。</translation>
    </message>
    <message>
        <source>Compare models</source>
        <translation>比较模型</translation>
    </message>
    <message>
        <source>Search models</source>
        <translation>搜索模型</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>比较</translation>
    </message>
    <message>
        <source>Your questions in this thread go to {fewest} to {most} models at once, and each model costs what it costs alone. You keep the answer you like.</source>
        <translation>此对话中的问题会同时发送给 {fewest} 到 {most} 个模型，每个模型的费用与单独使用时相同。你可以保留喜欢的回答。</translation>
    </message>
    <message>
        <source>All passages of the project&apos;s files, and later what changes in them and each question, go to {provider}.</source>
        <translation>项目文件的所有片段，以及之后的变动和每个问题，都会发送给 {provider}。</translation>
    </message>
    <message>
        <source>It is a server on this computer.</source>
        <translation>它是此计算机上的服务器。</translation>
    </message>
    <message>
        <source>They leave this computer.</source>
        <translation>它们会离开此计算机。</translation>
    </message>
    <message>
        <source>Now that is {texts}, about {tokens} tokens, in {requests}.</source>
        <translation>目前共 {texts}，约 {tokens} 个 token，分 {requests}。</translation>
    </message>
    <message numerus="yes">
        <source>{count} passages</source>
        <comment>{count} passage</comment>
        <translation>
            <numerusform>{count} 个片段</numerusform>
        </translation>
    </message>
    <message>
        <source>The price of {model} is not known.</source>
        <translation>{model} 的价格未知。</translation>
    </message>
    <message>
        <source>That costs about ${dollars}.</source>
        <translation>费用约为 ${dollars}。</translation>
    </message>
    <message>
        <source>the vectors that come with ChatDesk</source>
        <translation>ChatDesk 自带的向量</translation>
    </message>
    <message>
        <source>Found by meaning with {name}.</source>
        <translation>使用 {name} 按含义查找。</translation>
    </message>
    <message>
        <source>{done} of {total} passages have vectors of {name}, which answers once all have.</source>
        <translation>{total} 个片段中有 {done} 个已有 {name} 的向量；全部完成后才会使用。</translation>
    </message>
    <message numerus="yes">
        <source>{count} passages wait for it.</source>
        <comment>{count} passage waits for it.</comment>
        <translation>
            <numerusform>有 {count} 个片段在等待。</numerusform>
        </translation>
    </message>
    <message>
        <source>The last question was compared by the vectors that come with ChatDesk: {reason}</source>
        <translation>上一个问题是用 ChatDesk 自带的向量比较的：{reason}</translation>
    </message>
    <message>
        <source>{model} of {provider}</source>
        <translation>{provider} 的 {model}</translation>
    </message>
    <message>
        <source>An answer is ready</source>
        <translation>回答已就绪</translation>
    </message>
    <message>
        <source>An answer failed</source>
        <translation>回答失败</translation>
    </message>
    <message>
        <source>{server_name} waits for your approval</source>
        <translation>{server_name} 等待你的批准</translation>
    </message>
    <message>
        <source>ChatDesk cannot be started at login from here.</source>
        <translation>无法从这里设置 ChatDesk 在登录时启动。</translation>
    </message>
    <message>
        <source>Add it to the programs that your system starts at login.</source>
        <translation>请将其添加到系统登录时启动的程序中。</translation>
    </message>
    <message>
        <source>The file for starting at login could not be changed: {strerror}.</source>
        <translation>无法更改登录时启动的文件：{strerror}。</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>They show the quick window in whatever program you are.</source>
        <translation>无论你在哪个程序中，它们都会显示快捷窗口。</translation>
    </message>
    <message>
        <source>The environment variable {name} decides this.</source>
        <translation>由环境变量 {name} 决定。</translation>
    </message>
    <message>
        <source>Keys for a quick question</source>
        <translation>快速提问的按键</translation>
    </message>
    <message>
        <source>Command: {command}</source>
        <translation>命令：{command}</translation>
    </message>
    <message>
        <source>Copy the command</source>
        <translation>复制命令</translation>
    </message>
    <message>
        <source>Asking the desktop for the keys. It may show you a question.</source>
        <translation>正在向桌面请求按键。它可能会向你显示一个问题。</translation>
    </message>
    <message>
        <source>The desktop shows it at: {keys}.</source>
        <translation>桌面在以下按键时显示它：{keys}。</translation>
    </message>
    <message>
        <source>The keys work.</source>
        <translation>按键有效。</translation>
    </message>
    <message>
        <source>The desktop did not give ChatDesk these keys. Try again, or bind this command to keys in your desktop&apos;s settings:</source>
        <translation>桌面没有给 ChatDesk 这些按键。请重试，或在桌面设置中将此命令绑定到按键：</translation>
    </message>
    <message>
        <source>The desktop has no name for {keys}. Choose other keys, or bind this command in your desktop&apos;s settings:</source>
        <translation>桌面没有 {keys} 的名称。请选择其他按键，或在桌面设置中绑定此命令：</translation>
    </message>
    <message>
        <source>This desktop gives no keys to programs. Bind this command to keys in your desktop&apos;s settings:</source>
        <translation>此桌面不向程序提供按键。请在桌面设置中将此命令绑定到按键：</translation>
    </message>
    <message numerus="yes">
        <source>{count} answers being written</source>
        <comment>{count} answer being written</comment>
        <translation>
            <numerusform>{count} 个回答编写中</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} unread messages</source>
        <comment>{count} unread message</comment>
        <translation>
            <numerusform>{count} 条未读消息</numerusform>
        </translation>
    </message>
    <message>
        <source>Open ChatDesk</source>
        <translation>打开 ChatDesk</translation>
    </message>
    <message>
        <source>Quit ChatDesk</source>
        <translation>退出 ChatDesk</translation>
    </message>
    <message>
        <source>The summary is out of date and not sent. Make it again to have it sent.</source>
        <translation>摘要已过时，不会发送。要发送请重新生成。</translation>
    </message>
    <message>
        <source>summary out of date</source>
        <translation>摘要已过时</translation>
    </message>
    <message numerus="yes">
        <source>≈ {count} tokens</source>
        <comment>≈ {count} token</comment>
        <translation>
            <numerusform>≈ {count} 个 token</numerusform>
        </translation>
    </message>
    <message>
        <source>About {used} of {window} tokens are taken; {reserved} are kept for the answer.</source>
        <translation>{window} 个 token 中约 {used} 个已占用；{reserved} 个留给回答。</translation>
    </message>
    <message>
        <source>{used} of {window} tokens are taken; {reserved} are kept for the answer.</source>
        <translation>{window} 个 token 中 {used} 个已占用；{reserved} 个留给回答。</translation>
    </message>
    <message>
        <source>Your message alone does not fit: shorten it, attach it, or choose a larger model.</source>
        <translation>仅你的消息就放不下：请缩短、作为文件附加，或选择更大的模型。</translation>
    </message>
    <message numerus="yes">
        <source>It is full: {count} older messages stay behind because of what you are writing.</source>
        <comment>It is full: {count} older message stays behind because of what you are writing.</comment>
        <translation>
            <numerusform>已满：因你正在写的内容，有 {count} 条较旧的消息不会发送。</numerusform>
        </translation>
    </message>
    <message>
        <source>It is full: the oldest messages stay behind when you send.</source>
        <translation>已满：发送时最旧的消息不会发送。</translation>
    </message>
    <message>
        <source>{free} tokens are free before older messages stay behind.</source>
        <translation>还有 {free} 个 token，之后较旧的消息不会发送。</translation>
    </message>
    <message>
        <source>The count is an estimate for this model.</source>
        <translation>此计数对该模型为估计值。</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>上下文</translation>
    </message>
    <message>
        <source>Summary</source>
        <translation>摘要</translation>
    </message>
    <message>
        <source>Usage</source>
        <translation>用量</translation>
    </message>
    <message>
        <source>Tree</source>
        <translation>版本树</translation>
    </message>
    <message>
        <source>Questions</source>
        <translation>问题</translation>
    </message>
    <message>
        <source>Artifacts</source>
        <translation>制品</translation>
    </message>
    <message>
        <source>Pinned: it goes with every question of this thread</source>
        <translation>已固定：随此对话的每个问题发送</translation>
    </message>
    <message>
        <source>Left out of this thread</source>
        <translation>已从此对话中排除</translation>
    </message>
    <message>
        <source>Sent where it fits the question</source>
        <translation>与问题相符时发送</translation>
    </message>
    <message>
        <source>Hide the inspector</source>
        <translation>隐藏检查器</translation>
    </message>
    <message>
        <source>Show the inspector</source>
        <translation>显示检查器</translation>
    </message>
    <message>
        <source>Request copied</source>
        <translation>已复制请求</translation>
    </message>
    <message>
        <source>The summary is being made in the background</source>
        <translation>正在后台生成摘要</translation>
    </message>
    <message>
        <source>The older messages of this thread no longer fit.</source>
        <translation>此对话的较旧消息已放不下。</translation>
    </message>
    <message>
        <source>{taken} so far.</source>
        <translation>目前为 {taken}。</translation>
    </message>
    <message>
        <source>No price is known for {model}.</source>
        <translation>不知道 {model} 的价格。</translation>
    </message>
    <message>
        <source>Until then only the newest messages are sent.</source>
        <translation>在此之前只发送最新的消息。</translation>
    </message>
    <message numerus="yes">
        <source>Summarising the older messages: {requests} of about {count} requests, {spent}.</source>
        <comment>Summarising the older messages: {requests} of about {count} request, {spent}.</comment>
        <translation>
            <numerusform>正在为较旧的消息生成摘要：约 {count} 个请求中的第 {requests} 个，{spent}。</numerusform>
        </translation>
    </message>
    <message>
        <source>Older messages summarised: {taken}</source>
        <translation>已为较旧的消息生成摘要：{taken}</translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens.</comment>
        <translation>
            <numerusform>用 {model} 生成摘要约需 {count} 个请求和 {tokens} 个 token。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens, at no cost.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens, at no cost.</comment>
        <translation>
            <numerusform>用 {model} 生成摘要约需 {count} 个请求和 {tokens} 个 token，不收费。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens, about {cost}.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens, about {cost}.</comment>
        <translation>
            <numerusform>用 {model} 生成摘要约需 {count} 个请求和 {tokens} 个 token，约 {cost}。</numerusform>
        </translation>
    </message>
    <message>
        <source>the server&apos;s own model</source>
        <translation>服务器自己的模型</translation>
    </message>
    <message numerus="yes">
        <source>{count} requests, {spent}</source>
        <comment>{count} request, {spent}</comment>
        <translation>
            <numerusform>{count} 个请求，{spent}</numerusform>
        </translation>
    </message>
    <message>
        <source>{tokens} tokens, {cost}</source>
        <translation>{tokens} 个 token，{cost}</translation>
    </message>
    <message>
        <source>{tokens} tokens</source>
        <translation>{tokens} 个 token</translation>
    </message>
    <message>
        <source>Summarise</source>
        <translation>生成摘要</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>以后再说</translation>
    </message>
    <message>
        <source>Pinned into the context</source>
        <translation>已固定到上下文</translation>
    </message>
    <message>
        <source>Excluded from the context</source>
        <translation>已从上下文排除</translation>
    </message>
    <message>
        <source>Sent as it fits</source>
        <translation>在容量允许时发送</translation>
    </message>
    <message>
        <source>The context starts here</source>
        <translation>上下文从这里开始</translation>
    </message>
    <message>
        <source>The context starts at the beginning</source>
        <translation>上下文从头开始</translation>
    </message>
    <message>
        <source>Pinned</source>
        <translation>已固定</translation>
    </message>
    <message>
        <source>No longer pinned</source>
        <translation>已取消固定</translation>
    </message>
    <message>
        <source>Archived</source>
        <translation>已归档</translation>
    </message>
    <message>
        <source>Out of the archive</source>
        <translation>已移出归档</translation>
    </message>
    <message>
        <source>Moved to the trash</source>
        <translation>已移到回收站</translation>
    </message>
    <message>
        <source>Restored</source>
        <translation>已恢复</translation>
    </message>
    <message>
        <source>Moved to {name}</source>
        <translation>已移到 {name}</translation>
    </message>
    <message>
        <source>Tags changed</source>
        <translation>标签已更改</translation>
    </message>
    <message>
        <source>1 thread</source>
        <translation>1 个对话</translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good?</source>
        <comment>Delete this thread for good?</comment>
        <translation>
            <numerusform>永久删除 {count} 个对话吗？</numerusform>
        </translation>
    </message>
    <message>
        <source>{title}: all messages are removed. This cannot be undone.</source>
        <translation>{title}：所有消息都会移除。此操作无法撤销。</translation>
    </message>
    <message>
        <source>Delete for good</source>
        <translation>永久删除</translation>
    </message>
    <message>
        <source>The trash is empty.</source>
        <translation>回收站为空。</translation>
    </message>
    <message>
        <source>Empty the trash?</source>
        <translation>清空回收站吗？</translation>
    </message>
    <message>
        <source>Empty the trash</source>
        <translation>清空回收站</translation>
    </message>
    <message>
        <source>delete for good</source>
        <translation>永久删除</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads are gone.</source>
        <comment>{count} thread is gone.</comment>
        <translation>
            <numerusform>{count} 个对话已删除。</numerusform>
        </translation>
    </message>
    <message>
        <source>rename tag</source>
        <translation>重命名标签</translation>
    </message>
    <message>
        <source>The tag is called {name} now</source>
        <translation>标签现名为 {name}</translation>
    </message>
    <message>
        <source>The tag was deleted; its threads stay</source>
        <translation>标签已删除；其对话保留</translation>
    </message>
    <message numerus="yes">
        <source>Pin {count} threads</source>
        <comment>Pin thread</comment>
        <translation>
            <numerusform>固定 {count} 个对话</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Unpin {count} threads</source>
        <comment>Unpin thread</comment>
        <translation>
            <numerusform>取消固定 {count} 个对话</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Archive {count} threads</source>
        <comment>Archive thread</comment>
        <translation>
            <numerusform>归档 {count} 个对话</numerusform>
        </translation>
    </message>
    <message>
        <source>Take out of the archive</source>
        <translation>移出归档</translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good…</source>
        <comment>Delete thread for good…</comment>
        <translation>
            <numerusform>永久删除 {count} 个对话…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads</source>
        <comment>Delete thread</comment>
        <translation>
            <numerusform>删除 {count} 个对话</numerusform>
        </translation>
    </message>
    <message>
        <source>Sort threads by last activity</source>
        <translation>按最近活动排序对话</translation>
    </message>
    <message>
        <source>Sort threads by name</source>
        <translation>按名称排序对话</translation>
    </message>
    <message>
        <source>Group threads by date</source>
        <translation>按日期分组对话</translation>
    </message>
    <message>
        <source>Group threads by project</source>
        <translation>按项目分组对话</translation>
    </message>
    <message>
        <source>Sorted by name</source>
        <translation>已按名称排序</translation>
    </message>
    <message>
        <source>Sorted by last activity</source>
        <translation>已按最近活动排序</translation>
    </message>
    <message>
        <source>Grouped by project</source>
        <translation>已按项目分组</translation>
    </message>
    <message>
        <source>Grouped by date</source>
        <translation>已按日期分组</translation>
    </message>
    <message>
        <source>Move to a project</source>
        <translation>移到项目</translation>
    </message>
    <message>
        <source>Move to a project: {what}</source>
        <translation>移到项目：{what}</translation>
    </message>
    <message>
        <source>Teal</source>
        <translation>青色</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>蓝色</translation>
    </message>
    <message>
        <source>Indigo</source>
        <translation>靛蓝色</translation>
    </message>
    <message>
        <source>Purple</source>
        <translation>紫色</translation>
    </message>
    <message>
        <source>Magenta</source>
        <translation>品红色</translation>
    </message>
    <message>
        <source>Red</source>
        <translation>红色</translation>
    </message>
    <message>
        <source>Orange</source>
        <translation>橙色</translation>
    </message>
    <message>
        <source>Olive</source>
        <translation>橄榄色</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>绿色</translation>
    </message>
    <message>
        <source>Slate</source>
        <translation>石板灰</translation>
    </message>
    <message>
        <source>The current colour</source>
        <translation>当前颜色</translation>
    </message>
    <message>
        <source>New project</source>
        <translation>新建项目</translation>
    </message>
    <message>
        <source>Edit project</source>
        <translation>编辑项目</translation>
    </message>
    <message>
        <source>Name of the project</source>
        <translation>项目名称</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>颜色</translation>
    </message>
    <message>
        <source>New threads begin with</source>
        <translation>新对话开始时使用</translation>
    </message>
    <message>
        <source>Folder of the project</source>
        <translation>项目文件夹</translation>
    </message>
    <message>
        <source>Folder on this computer, for tools (optional)</source>
        <translation>此计算机上供工具使用的文件夹（可选）</translation>
    </message>
    <message>
        <source>Create</source>
        <translation>创建</translation>
    </message>
    <message>
        <source>Instructions</source>
        <translation>指令</translation>
    </message>
    <message>
        <source>For example: answer as an editor would, in British English.</source>
        <translation>例如：像编辑一样回答，使用简体中文。</translation>
    </message>
    <message>
        <source>Instructions for its threads (optional)</source>
        <translation>其对话的指令（可选）</translation>
    </message>
    <message>
        <source>Model that new threads begin with</source>
        <translation>新对话开始时使用的模型</translation>
    </message>
    <message>
        <source>The model chosen in the settings</source>
        <translation>设置中选择的模型</translation>
    </message>
    <message>
        <source>Archive</source>
        <translation>归档</translation>
    </message>
    <message>
        <source>Move out of the archive</source>
        <translation>移出归档</translation>
    </message>
    <message>
        <source>Archive</source>
        <comment>verb</comment>
        <translation>归档</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>删除…</translation>
    </message>
    <message>
        <source>All projects</source>
        <translation>所有项目</translation>
    </message>
    <message>
        <source>Edit {name}…</source>
        <translation>编辑 {name}…</translation>
    </message>
    <message>
        <source>Sharing of {name}…</source>
        <translation>{name} 的共享…</translation>
    </message>
    <message>
        <source>Share {name}…</source>
        <translation>共享 {name}…</translation>
    </message>
    <message>
        <source>In the trash</source>
        <translation>在回收站中</translation>
    </message>
    <message>
        <source>add project</source>
        <translation>添加项目</translation>
    </message>
    <message>
        <source>change project</source>
        <translation>更改项目</translation>
    </message>
    <message>
        <source>The project was changed</source>
        <translation>项目已更改</translation>
    </message>
    <message>
        <source>archive project</source>
        <translation>归档项目</translation>
    </message>
    <message>
        <source>unarchive project</source>
        <translation>取消归档项目</translation>
    </message>
    <message>
        <source>Archived: {name}</source>
        <translation>已归档：{name}</translation>
    </message>
    <message>
        <source>Out of the archive: {name}</source>
        <translation>已移出归档：{name}</translation>
    </message>
    <message>
        <source>Delete the project “{name}”?</source>
        <translation>删除项目“{name}”吗？</translation>
    </message>
    <message>
        <source>Move to trash</source>
        <translation>移到回收站</translation>
    </message>
    <message>
        <source>Moved to the trash: {name}</source>
        <translation>已移到回收站：{name}</translation>
    </message>
    <message>
        <source>The project was restored</source>
        <translation>项目已恢复</translation>
    </message>
    <message>
        <source>Take project out of the archive</source>
        <translation>将项目移出归档</translation>
    </message>
    <message>
        <source>Archive project</source>
        <translation>归档项目</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads go to the trash with it ({archived} archived).</source>
        <comment>{count} thread goes to the trash with it ({archived} archived).</comment>
        <translation>
            <numerusform>{count} 个对话会一起移到回收站（其中 {archived} 个已归档）。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads go to the trash with it.</source>
        <comment>{count} thread goes to the trash with it.</comment>
        <translation>
            <numerusform>{count} 个对话会一起移到回收站。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>All of it can be restored for {count} days.</source>
        <comment>All of it can be restored for {count} day.</comment>
        <translation>
            <numerusform>{count} 天内可全部恢复。</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} ({number}, made {day})</source>
        <translation>{name}（{number}，创建于 {day}）</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads of all projects, with all messages, will be removed. This cannot be undone.</source>
        <comment>{count} thread of all projects, with all messages, will be removed. This cannot be undone.</comment>
        <translation>
            <numerusform>将移除所有项目的 {count} 个对话及其全部消息。此操作无法撤销。</numerusform>
        </translation>
    </message>
    <message>
        <source>In shared projects it erases for everyone what you wrote, or all of it where you are an owner or admin. The rest is hidden on this computer only.</source>
        <translation>在共享项目中，会为所有人抹除你所写的内容；如果你是所有者或管理员，则抹除全部。其余内容仅在此计算机上隐藏。</translation>
    </message>
    <message>
        <source>Tags: {what}</source>
        <translation>标签：{what}</translation>
    </message>
    <message>
        <source>New tag</source>
        <translation>新建标签</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>重命名</translation>
    </message>
    <message>
        <source>There are no tags yet. Put one on a thread with “Tags…” in its menu.</source>
        <translation>还没有标签。请用对话菜单中的“标签…”为其添加。</translation>
    </message>
    <message>
        <source>Close the open dialog first, then open the link again. Nothing was changed.</source>
        <translation>请先关闭打开的对话框，然后重新打开链接。未做任何更改。</translation>
    </message>
    <message>
        <source>The message of the link is not shown in this thread: it was deleted, or is in another version.</source>
        <translation>链接中的消息未显示在此对话中：它已删除，或在另一个版本中。</translation>
    </message>
    <message>
        <source>The thread of this link is not on this computer.</source>
        <translation>此链接的对话不在此计算机上。</translation>
    </message>
    <message>
        <source>If it belongs to a project that is shared with you, wait until it is synced, then open the link again.</source>
        <translation>如果它属于与你共享的项目，请等待同步，然后重新打开链接。</translation>
    </message>
    <message>
        <source>A temporary chat has no link, because nothing of it is stored.</source>
        <translation>临时聊天没有链接，因为它不存储任何内容。</translation>
    </message>
    <message>
        <source>Link copied. It opens the thread on your computers that have it.</source>
        <translation>链接已复制。它可在拥有此对话的你的计算机上打开它。</translation>
    </message>
    <message>
        <source>Revoke the token “{name}”?</source>
        <translation>撤销令牌“{name}”吗？</translation>
    </message>
    <message>
        <source>Programs that use it are refused from now on, and what they are doing ends. This cannot be undone.</source>
        <translation>从现在起会拒绝使用它的程序，它们正在做的事也会结束。此操作无法撤销。</translation>
    </message>
    <message>
        <source>Revoke</source>
        <translation>撤销令牌</translation>
    </message>
    <message>
        <source>Editors, scripts and browsers of this computer read, write and ask over HTTP, with a token of yours.</source>
        <translation>此计算机上的编辑器、脚本和浏览器可用你的令牌通过 HTTP 读取、写入和提问。</translation>
    </message>
    <message>
        <source>Turn the service on to make tokens and to see the existing ones.</source>
        <translation>开启该服务以创建令牌并查看已有的令牌。</translation>
    </message>
    <message>
        <source>There are no tokens. Each program gets one of its own.</source>
        <translation>没有令牌。每个程序都有自己的令牌。</translation>
    </message>
    <message>
        <source>The environment variable {fixed_by} decides this.</source>
        <translation>由环境变量 {fixed_by} 决定。</translation>
    </message>
    <message>
        <source>Copy address</source>
        <translation>复制地址</translation>
    </message>
    <message>
        <source>New token…</source>
        <translation>新建令牌…</translation>
    </message>
    <message>
        <source>On, at {address}</source>
        <translation>已开启，位于 {address}</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>正在启动…</translation>
    </message>
    <message>
        <source>Tokens</source>
        <comment>access</comment>
        <translation>访问令牌</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>The address is in the clipboard.</source>
        <translation>地址已在剪贴板中。</translation>
    </message>
    <message>
        <source>Revoke…</source>
        <translation>撤销令牌…</translation>
    </message>
    <message>
        <source>Revoke {name}</source>
        <translation>撤销令牌 {name}</translation>
    </message>
    <message>
        <source>a project in the trash</source>
        <translation>回收站中的项目</translation>
    </message>
    <message>
        <source>all projects</source>
        <translation>所有项目</translation>
    </message>
    <message>
        <source>until {moment}</source>
        <translation>至 {moment}</translation>
    </message>
    <message>
        <source>last used {moment}</source>
        <translation>上次使用 {moment}</translation>
    </message>
    <message>
        <source>30 days</source>
        <translation>30 天</translation>
    </message>
    <message>
        <source>90 days</source>
        <translation>90 天</translation>
    </message>
    <message>
        <source>A year</source>
        <translation>一年</translation>
    </message>
    <message>
        <source>Until it is revoked</source>
        <translation>直到撤销</translation>
    </message>
    <message>
        <source>New token</source>
        <translation>新建令牌</translation>
    </message>
    <message>
        <source>What will use it</source>
        <translation>使用它的程序</translation>
    </message>
    <message>
        <source>For example: editor</source>
        <translation>例如：编辑器</translation>
    </message>
    <message>
        <source>Valid for</source>
        <translation>有效期</translation>
    </message>
    <message>
        <source>The token</source>
        <translation>令牌</translation>
    </message>
    <message>
        <source>Copy the token</source>
        <translation>复制令牌</translation>
    </message>
    <message>
        <source>Make token</source>
        <translation>创建令牌</translation>
    </message>
    <message>
        <source>In these projects only</source>
        <translation>仅在这些项目中</translation>
    </message>
    <message>
        <source>None chosen: in all of them.</source>
        <translation>未选择：在所有项目中。</translation>
    </message>
    <message>
        <source>This is the token for “{name}”. It is shown only now and stored nowhere: copy it to where it is used.</source>
        <translation>这是“{name}”的令牌。它仅在此时显示且不存储在任何地方：请复制到使用处。</translation>
    </message>
    <message>
        <source>It may</source>
        <translation>它可以</translation>
    </message>
    <message>
        <source>Say what will use it.</source>
        <translation>请说明使用它的程序。</translation>
    </message>
    <message>
        <source>Choose what it may do.</source>
        <translation>请选择它可以做什么。</translation>
    </message>
    <message>
        <source>Making the token…</source>
        <translation>正在创建令牌…</translation>
    </message>
    <message>
        <source>The token is in the clipboard.</source>
        <translation>令牌已在剪贴板中。</translation>
    </message>
    <message>
        <source>Text size {percent}%</source>
        <translation>文字大小 {percent}%</translation>
    </message>
    <message>
        <source>Assistant</source>
        <translation>助手</translation>
    </message>
    <message>
        <source>Assistant: {name}</source>
        <translation>助手：{name}</translation>
    </message>
    <message>
        <source>No assistant</source>
        <translation>无助手</translation>
    </message>
    <message>
        <source>Edit assistants…</source>
        <translation>编辑助手…</translation>
    </message>
    <message>
        <source>choose assistant</source>
        <translation>选择助手</translation>
    </message>
    <message>
        <source>Assistants, files and resources</source>
        <translation>助手、文件和资源</translation>
    </message>
    <message>
        <source>Their instructions, models, tools and files</source>
        <translation>它们的指令、模型、工具和文件</translation>
    </message>
    <message>
        <source>New assistant…</source>
        <translation>新建助手…</translation>
    </message>
    <message>
        <source>A prompt with a model, tools and files of its own, asked with @</source>
        <translation>带有自己的模型、工具和文件的提示词，用 @ 提问</translation>
    </message>
    <message numerus="yes">
        <source>{count} names, arrows choose, Enter takes it, Esc closes.</source>
        <comment>{count} name, arrows choose, Enter takes it, Esc closes.</comment>
        <translation>
            <numerusform>{count} 个名称，方向键选择，Enter 采用，Esc 关闭。</numerusform>
        </translation>
    </message>
    <message>
        <source>Files of the assistant</source>
        <translation>助手的文件</translation>
    </message>
    <message>
        <source>Sparkles</source>
        <translation>星光</translation>
    </message>
    <message>
        <source>Brain</source>
        <translation>大脑</translation>
    </message>
    <message>
        <source>Light bulb</source>
        <translation>灯泡</translation>
    </message>
    <message>
        <source>Wand</source>
        <translation>魔杖</translation>
    </message>
    <message>
        <source>Pencil</source>
        <translation>铅笔</translation>
    </message>
    <message>
        <source>Code</source>
        <translation>代码</translation>
    </message>
    <message>
        <source>Terminal</source>
        <translation>终端</translation>
    </message>
    <message>
        <source>Magnifier</source>
        <translation>放大镜</translation>
    </message>
    <message>
        <source>Languages</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>Letter</source>
        <translation>信件</translation>
    </message>
    <message>
        <source>Checklist</source>
        <translation>清单</translation>
    </message>
    <message>
        <source>Table</source>
        <translation>表格</translation>
    </message>
    <message>
        <source>Database</source>
        <translation>数据库</translation>
    </message>
    <message>
        <source>Palette</source>
        <translation>调色板</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Gauge</source>
        <translation>仪表</translation>
    </message>
    <message>
        <source>Star</source>
        <translation>星星</translation>
    </message>
    <message>
        <source>Person</source>
        <translation>个人</translation>
    </message>
    <message>
        <source>People</source>
        <translation>人群</translation>
    </message>
    <message>
        <source>As in the thread</source>
        <translation>与对话相同</translation>
    </message>
    <message>
        <source>Icon</source>
        <translation>图标</translation>
    </message>
    <message>
        <source>Model that answers</source>
        <translation>用来回答的模型</translation>
    </message>
    <message>
        <source>Find by meaning with</source>
        <translation>按含义查找的方式</translation>
    </message>
    <message>
        <source>The vectors that come with ChatDesk are made on this computer and know English best. A model for embeddings of a provider knows more languages, and gets the texts of the files.</source>
        <translation>ChatDesk 自带的向量在此计算机上生成，最擅长英语。提供商的嵌入模型懂更多语言，但会得到文件的文字。</translation>
    </message>
    <message>
        <source>Who makes the vectors</source>
        <translation>由谁生成向量</translation>
    </message>
    <message>
        <source>ChatDesk, on this computer</source>
        <translation>此计算机上的 ChatDesk</translation>
    </message>
    <message>
        <source>Model for embeddings</source>
        <translation>嵌入模型</translation>
    </message>
    <message>
        <source>Vectors by</source>
        <translation>向量来自</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>参数</translation>
    </message>
    <message numerus="yes">
        <source>{count} values set</source>
        <comment>{count} value set</comment>
        <translation>
            <numerusform>已设置 {count} 个值</numerusform>
        </translation>
    </message>
    <message>
        <source>{provider}, not set up here</source>
        <translation>{provider}，未在此设置</translation>
    </message>
    <message>
        <source>No tools</source>
        <translation>无工具</translation>
    </message>
    <message>
        <source>Add files…</source>
        <translation>添加文件…</translation>
    </message>
    <message>
        <source>This computer has no keyring that could keep the key. Keep it in ChatDesk&apos;s encrypted file of keys instead; you enter its passphrase once after each start.</source>
        <translation>此计算机没有可以保存密钥的密钥环。请改为将其保存在 ChatDesk 的加密密钥文件中；每次启动后需输入一次密码短语。</translation>
    </message>
    <message>
        <source>Folder that something carries between your computers</source>
        <translation>在你的计算机之间同步的文件夹</translation>
    </message>
    <message>
        <source>Browse…</source>
        <translation>浏览…</translation>
    </message>
    <message>
        <source>Choose the folder</source>
        <translation>选择文件夹</translation>
    </message>
    <message>
        <source>Recovery phrase</source>
        <translation>恢复短语</translation>
    </message>
    <message>
        <source>I have written it down, or saved it</source>
        <translation>我已抄写或保存</translation>
    </message>
    <message>
        <source>Copy the phrase</source>
        <translation>复制短语</translation>
    </message>
    <message>
        <source>Save to print…</source>
        <translation>保存以便打印…</translation>
    </message>
    <message>
        <source>Your other computers need this recovery phrase, and with it alone you get your chats back. Whoever has it and the folder can read everything. It is not shown again.</source>
        <translation>你的其他计算机需要此恢复短语，仅凭它就能找回你的聊天。任何拥有它和该文件夹的人都能读取所有内容。之后不会再显示。</translation>
    </message>
    <message>
        <source>Recovery phrase of ChatDesk for my computers: {phrase}</source>
        <translation>我的计算机的 ChatDesk 恢复短语：{phrase}</translation>
    </message>
    <message>
        <source>The phrase is in the clipboard.</source>
        <translation>短语已在剪贴板中。</translation>
    </message>
    <message>
        <source>Save the recovery phrase</source>
        <translation>保存恢复短语</translation>
    </message>
    <message>
        <source>ChatDesk recovery phrase.txt</source>
        <translation>ChatDesk 恢复短语.txt</translation>
    </message>
    <message>
        <source>Start with this computer</source>
        <translation>从此计算机开始</translation>
    </message>
    <message>
        <source>Check the folder</source>
        <translation>检查文件夹</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>开始</translation>
    </message>
    <message>
        <source>Writing into the folder…</source>
        <translation>正在写入文件夹…</translation>
    </message>
    <message>
        <source>Looking at the folder…</source>
        <translation>正在检查文件夹…</translation>
    </message>
    <message>
        <source>Join your computers</source>
        <translation>加入你的计算机</translation>
    </message>
    <message>
        <source>Recovery phrase, as it was shown on the other computer</source>
        <translation>恢复短语，与另一台计算机上显示的相同</translation>
    </message>
    <message>
        <source>Look inside</source>
        <translation>查看内容</translation>
    </message>
    <message>
        <source>Joining…</source>
        <translation>正在加入…</translation>
    </message>
    <message>
        <source>Looking into the folder…</source>
        <translation>正在查看文件夹…</translation>
    </message>
    <message>
        <source>Remove {name}</source>
        <translation>移除 {name}</translation>
    </message>
    <message>
        <source>{name} keeps, and can read, everything that it had. It gets nothing new, and what it writes from now on reaches none of your other computers. These need the new phrase below: choose Join again on each.</source>
        <translation>{name} 保留它已有的一切并能读取。它不会收到任何新内容，今后写入的内容也不会到达你的其他计算机。这些计算机需要下方的新短语：请在每台上选择“再次加入”。</translation>
    </message>
    <message>
        <source>Removing the computer…</source>
        <translation>正在移除计算机…</translation>
    </message>
    <message>
        <source>{title}: {detail}</source>
        <translation>{title}：{detail}</translation>
    </message>
    <message>
        <source>Still to fill in: {missing}.</source>
        <translation>仍待填写：{missing}。</translation>
    </message>
    <message>
        <source>The prompt was not inserted: another thread is open now.</source>
        <translation>提示词未插入：现在打开的是另一个对话。</translation>
    </message>
    <message>
        <source>There is no text in the clipboard.</source>
        <translation>剪贴板中没有文字。</translation>
    </message>
    <message>
        <source>Nothing is selected in the thread.</source>
        <translation>对话中没有选择任何内容。</translation>
    </message>
    <message>
        <source>Message {name} — drop files here, / for prompts</source>
        <translation>给 {name} 发消息 — 将文件拖到此处，/ 插入提示词</translation>
    </message>
    <message>
        <source>Fill in: {prompt_name}</source>
        <translation>填写：{prompt_name}</translation>
    </message>
    <message>
        <source>Insert</source>
        <translation>插入</translation>
    </message>
    <message>
        <source>Template, for the composer</source>
        <translation>模板，用于输入框</translation>
    </message>
    <message>
        <source>System prompt</source>
        <translation>系统提示词</translation>
    </message>
    <message>
        <source>Quick action, below an answer</source>
        <translation>快捷操作，在回答下方</translation>
    </message>
    <message>
        <source>Assistant, with @</source>
        <translation>助手，用 @</translation>
    </message>
    <message>
        <source>{{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}} are filled in. Any other name, such as {{topic}}, {{topic:default}} or {{tone|formal|casual}}, is asked for.</source>
        <translation>{{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}} 会自动填写。其他名称，例如 {{topic}}、{{topic:default}} 或 {{tone|formal|casual}}，会先询问。</translation>
    </message>
    <message>
        <source>Choosing it below an answer, in its menu or in the search asks this about the answer. The variables of templates are filled in; where one is asked for, the text goes into the composer first.</source>
        <translation>在回答下方、其菜单或搜索中选择它，即就该回答提问。模板的变量会自动填写；需要询问变量时，文字先进入输入框。</translation>
    </message>
    <message>
        <source>{{date}} {{time}} {{project}} {{model}} are filled in each time it is sent.</source>
        <translation>{{date}} {{time}} {{project}} {{model}} 在每次发送时填写。</translation>
    </message>
    <message>
        <source>The text is its instructions, sent in place of the system prompt. Choose it below the message for a whole thread, or type @ for one question.</source>
        <translation>该文字是它的指令，代替系统提示词发送。可在消息下方为整个对话选择它，或输入 @ 用于一个问题。</translation>
    </message>
    <message>
        <source>Name of the prompt</source>
        <translation>提示词名称</translation>
    </message>
    <message>
        <source>Kind of prompt</source>
        <translation>提示词类型</translation>
    </message>
    <message>
        <source>Text of the prompt</source>
        <translation>提示词文字</translation>
    </message>
    <message>
        <source>What the prompt says</source>
        <translation>提示词的内容</translation>
    </message>
    <message>
        <source>Prompts (*.json)</source>
        <translation>提示词 (*.json)</translation>
    </message>
    <message>
        <source>Something went wrong. Nothing was stored; the text is kept here.</source>
        <translation>出了点问题。未存储任何内容；文字保留在此。</translation>
    </message>
    <message>
        <source>add prompt</source>
        <translation>添加提示词</translation>
    </message>
    <message>
        <source>delete prompt</source>
        <translation>删除提示词</translation>
    </message>
    <message>
        <source>edit prompt</source>
        <translation>编辑提示词</translation>
    </message>
    <message>
        <source>Import prompts</source>
        <translation>导入提示词</translation>
    </message>
    <message>
        <source>Export prompts</source>
        <translation>导出提示词</translation>
    </message>
    <message>
        <source>import prompts</source>
        <translation>导入提示词</translation>
    </message>
    <message numerus="yes">
        <source>Added: {count} prompts. What was there already stays as it is.</source>
        <comment>Added: {count} prompt. What was there already stays as it is.</comment>
        <translation>
            <numerusform>已添加：{count} 个提示词。已有的保持原样。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Exported: {count} prompts to {name}.</source>
        <comment>Exported: {count} prompt to {name}.</comment>
        <translation>
            <numerusform>已导出：{count} 个提示词到 {name}。</numerusform>
        </translation>
    </message>
    <message>
        <source>All prompts</source>
        <translation>所有提示词</translation>
    </message>
    <message>
        <source>Templates</source>
        <translation>模板</translation>
    </message>
    <message>
        <source>System prompts</source>
        <translation>系统提示词</translation>
    </message>
    <message>
        <source>Quick actions</source>
        <translation>快捷操作</translation>
    </message>
    <message>
        <source>Assistants</source>
        <translation>助手</translation>
    </message>
    <message>
        <source>Deleted: {name}</source>
        <translation>已删除：{name}</translation>
    </message>
    <message>
        <source>New</source>
        <translation>新建</translation>
    </message>
    <message>
        <source>Undo deleting the prompt</source>
        <translation>撤销删除提示词</translation>
    </message>
    <message>
        <source>Duplicate</source>
        <translation>创建副本</translation>
    </message>
    <message>
        <source>Revert</source>
        <translation>还原</translation>
    </message>
    <message numerus="yes">
        <source>{count} more: type part of a name.</source>
        <comment>{count} more: type part of a name.</comment>
        <translation>
            <numerusform>还有 {count} 个：请输入名称的一部分。</numerusform>
        </translation>
    </message>
    <message>
        <source>Make your last answer shorter. Keep what matters most.</source>
        <translation>请把你的上一个回答缩短。保留最重要的内容。</translation>
    </message>
    <message>
        <source>Make your last answer longer. Go into more detail.</source>
        <translation>请把你的上一个回答加长。说得更详细一些。</translation>
    </message>
    <message>
        <source>Asked below this answer. What came after it stays as another version.</source>
        <translation>已在此回答下方提问。其后的内容作为另一个版本保留。</translation>
    </message>
    <message>
        <source>Quick action: {name}</source>
        <translation>快捷操作：{name}</translation>
    </message>
    <message>
        <source>Select something in the thread first.</source>
        <translation>请先在对话中选择内容。</translation>
    </message>
    <message>
        <source>From {name}</source>
        <translation>来自 {name}</translation>
    </message>
    <message>
        <source>{title}, from {name}</source>
        <translation>{title}，来自 {name}</translation>
    </message>
    <message>
        <source>Asking {server} for “{title}”…</source>
        <translation>正在向 {server} 请求“{title}”…</translation>
    </message>
    <message>
        <source>{server} wrote this text. Read it before you send it.</source>
        <translation>此文字由 {server} 编写。发送前请先阅读。</translation>
    </message>
    <message>
        <source>“{title}” came while you were typing.</source>
        <translation>“{title}”在你输入时到达。</translation>
    </message>
    <message>
        <source>{label} (optional)</source>
        <translation>{label}（可选）</translation>
    </message>
    <message>
        <source>System prompt of this thread</source>
        <translation>此对话的系统提示词</translation>
    </message>
    <message>
        <source>System prompt of the project</source>
        <translation>项目的系统提示词</translation>
    </message>
    <message>
        <source>Sent before the messages with every question. {{date}}, {{time}}, {{project}} and {{model}} are filled in each time.</source>
        <translation>随每个问题在消息之前发送。{{date}}、{{time}}、{{project}} 和 {{model}} 每次都会填写。</translation>
    </message>
    <message>
        <source>System prompts of the library</source>
        <translation>库中的系统提示词</translation>
    </message>
    <message>
        <source>From the library</source>
        <translation>从库中选择</translation>
    </message>
    <message>
        <source>Save to the library</source>
        <translation>保存到库</translation>
    </message>
    <message>
        <source>This thread</source>
        <translation>此对话</translation>
    </message>
    <message>
        <source>Project {name}</source>
        <translation>项目 {name}</translation>
    </message>
    <message>
        <source>Sent in every thread of the project that has none of its own.</source>
        <translation>在项目中没有自己系统提示词的每个对话中发送。</translation>
    </message>
    <message>
        <source>The project has none: in threads without their own, the default from the settings is sent.</source>
        <translation>项目没有：在没有自己系统提示词的对话中，发送设置中的默认值。</translation>
    </message>
    <message>
        <source>The project has none: in threads without their own, no system prompt is sent.</source>
        <translation>项目没有：在没有自己系统提示词的对话中，不发送系统提示词。</translation>
    </message>
    <message>
        <source>This thread&apos;s own system prompt is sent.</source>
        <translation>发送此对话自己的系统提示词。</translation>
    </message>
    <message>
        <source>This thread has none: the project&apos;s is sent.</source>
        <translation>此对话没有：发送项目的系统提示词。</translation>
    </message>
    <message>
        <source>Neither thread nor project has one: the default from the settings is sent.</source>
        <translation>对话和项目都没有：发送设置中的默认值。</translation>
    </message>
    <message>
        <source>Neither thread nor project has one: no system prompt is sent.</source>
        <translation>对话和项目都没有：不发送系统提示词。</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens of the {window} that the model can read go to it in every request.</source>
        <comment>About {count} token of the {window} that the model can read go to it in every request.</comment>
        <translation>
            <numerusform>模型可读取的 {window} 个 token 中，每个请求约有 {count} 个用于它。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens of the {window} that the model can read go to it in every request.</source>
        <comment>{count} token of the {window} that the model can read go to it in every request.</comment>
        <translation>
            <numerusform>模型可读取的 {window} 个 token 中，每个请求有 {count} 个用于它。</numerusform>
        </translation>
    </message>
    <message>
        <source>Shorten it, or choose a model with a larger window.</source>
        <translation>请缩短它，或选择窗口更大的模型。</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens: it leaves no room for a message in the {window} that the model can read.</source>
        <comment>About {count} token: it leaves no room for a message in the {window} that the model can read.</comment>
        <translation>
            <numerusform>约 {count} 个 token：在模型可读取的 {window} 个中没有给消息留出空间。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens: it leaves no room for a message in the {window} that the model can read.</source>
        <comment>{count} token: it leaves no room for a message in the {window} that the model can read.</comment>
        <translation>
            <numerusform>{count} 个 token：在模型可读取的 {window} 个中没有给消息留出空间。</numerusform>
        </translation>
    </message>
    <message>
        <source>An imported system prompt is sent with your question.</source>
        <translation>导入的系统提示词会随你的问题一起发送。</translation>
    </message>
    <message>
        <source>{name} changed the system prompt; it is sent with your question.</source>
        <translation>{name} 更改了系统提示词；它会随你的问题一起发送。</translation>
    </message>
    <message>
        <source>A temporary chat has the instructions of its project.</source>
        <translation>临时聊天使用其项目的指令。</translation>
    </message>
    <message>
        <source>Saved to the library: {name}</source>
        <translation>已保存到库：{name}</translation>
    </message>
    <message>
        <source>change system prompt</source>
        <translation>更改系统提示词</translation>
    </message>
    <message>
        <source>The system prompt was changed</source>
        <translation>系统提示词已更改</translation>
    </message>
    <message>
        <source>{what} Agree only if you made this change yourself and trust that server.</source>
        <translation>{what} 仅当此更改由你自己所做且你信任该服务器时才同意。</translation>
    </message>
    <message>
        <source>Your name for it</source>
        <translation>你起的名称</translation>
    </message>
    <message>
        <source>Sees images</source>
        <translation>可看图像</translation>
    </message>
    <message>
        <source>$ in / 1M</source>
        <translation>输入 $/1M</translation>
    </message>
    <message>
        <source>$ out / 1M</source>
        <translation>输出 $/1M</translation>
    </message>
    <message>
        <source>Offered when a model is chosen.</source>
        <translation>选择模型时提供。</translation>
    </message>
    <message>
        <source>The id of the model at its server.</source>
        <translation>模型在其服务器上的 ID。</translation>
    </message>
    <message>
        <source>The name under which it is offered.</source>
        <translation>提供时显示的名称。</translation>
    </message>
    <message>
        <source>Whether images are sent to it. A dash means unknown.</source>
        <translation>是否向它发送图像。短横线表示未知。</translation>
    </message>
    <message>
        <source>How many tokens it reads at once, such as 128k.</source>
        <translation>它一次读取多少 token，例如 128k。</translation>
    </message>
    <message>
        <source>US dollars for a million tokens that it reads.</source>
        <translation>它读取每百万 token 的美元价格。</translation>
    </message>
    <message>
        <source>US dollars for a million tokens that it writes.</source>
        <translation>它写出每百万 token 的美元价格。</translation>
    </message>
    <message>
        <source>not known</source>
        <translation>未知</translation>
    </message>
    <message>
        <source>yes</source>
        <translation>是</translation>
    </message>
    <message>
        <source>no</source>
        <translation>否</translation>
    </message>
    <message>
        <source>Change the passphrase</source>
        <translation>更改密码短语</translation>
    </message>
    <message>
        <source>Keys are locked</source>
        <translation>密钥已锁定</translation>
    </message>
    <message>
        <source>The current passphrase</source>
        <translation>当前密码短语</translation>
    </message>
    <message>
        <source>Passphrase</source>
        <translation>密码短语</translation>
    </message>
    <message>
        <source>The new passphrase again</source>
        <translation>再次输入新密码短语</translation>
    </message>
    <message>
        <source>The keys of your providers are in a file that a passphrase encrypts. You enter it once after each start.</source>
        <translation>提供商的密钥在用密码短语加密的文件中。每次启动后输入一次即可。</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>更改</translation>
    </message>
    <message>
        <source>The two new passphrases are not the same.</source>
        <translation>两次输入的新密码短语不一致。</translation>
    </message>
    <message>
        <source>Remove {label}?</source>
        <translation>移除 {label} 吗？</translation>
    </message>
    <message>
        <source>Its key is forgotten. Threads keep their answers; a thread that used it asks for another model.</source>
        <translation>其密钥会被忘记。对话保留其回答；使用过它的对话会要求另选模型。</translation>
    </message>
    <message>
        <source>{problem} Nothing was sent; see Settings, Providers.</source>
        <translation>{problem} 未发送任何内容；见“设置”的“提供商”。</translation>
    </message>
    <message>
        <source>Chat completions, which every server has</source>
        <translation>Chat completions，每个服务器都有</translation>
    </message>
    <message>
        <source>Responses, where the server has it</source>
        <translation>Responses，如果服务器有</translation>
    </message>
    <message>
        <source>Anthropic&apos;s messages</source>
        <translation>Anthropic 的 messages</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>地址</translation>
    </message>
    <message>
        <source>localhost:8080 or https://…</source>
        <translation>localhost:8080 或 https://…</translation>
    </message>
    <message>
        <source>Protocol</source>
        <translation>协议</translation>
    </message>
    <message>
        <source>Use this provider</source>
        <translation>使用此提供商</translation>
    </message>
    <message>
        <source>Set by the variable OPENAI_BASE_URL, so it cannot be changed here.</source>
        <translation>由变量 OPENAI_BASE_URL 设置，因此不能在这里更改。</translation>
    </message>
    <message>
        <source>Enter the address of the server.</source>
        <translation>请输入服务器的地址。</translation>
    </message>
    <message>
        <source>Enter the name of your resource in the address.</source>
        <translation>请在地址中输入资源名称。</translation>
    </message>
    <message>
        <source>Stop the test</source>
        <translation>停止测试</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>测试</translation>
    </message>
    <message>
        <source>API key</source>
        <translation>API 密钥</translation>
    </message>
    <message>
        <source>More settings</source>
        <translation>更多设置</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>移除…</translation>
    </message>
    <message>
        <source>In the system keyring</source>
        <translation>在系统密钥环中</translation>
    </message>
    <message>
        <source>For this run only</source>
        <translation>仅用于本次运行</translation>
    </message>
    <message>
        <source>In a file that a passphrase encrypts</source>
        <translation>在用密码短语加密的文件中</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>替换</translation>
    </message>
    <message>
        <source>Replace the key</source>
        <translation>替换密钥</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>忘记</translation>
    </message>
    <message>
        <source>Forget the key</source>
        <translation>忘记密钥</translation>
    </message>
    <message>
        <source>Use it there…</source>
        <translation>在那里使用…</translation>
    </message>
    <message>
        <source>Use the kept key at this server</source>
        <translation>在此服务器使用已保存的密钥</translation>
    </message>
    <message>
        <source>Paste the key</source>
        <translation>粘贴密钥</translation>
    </message>
    <message>
        <source>Get a key</source>
        <translation>获取密钥</translation>
    </message>
    <message>
        <source>Where the key is kept</source>
        <translation>密钥保存位置</translation>
    </message>
    <message>
        <source>Passphrase of the file of keys</source>
        <translation>密钥文件的密码短语</translation>
    </message>
    <message>
        <source>{place}; it has precedence over a stored key, so it cannot be changed here</source>
        <translation>{place}；它优先于已保存的密钥，因此不能在这里更改</translation>
    </message>
    <message>
        <source>The kept key is used at this server from now on.</source>
        <translation>从现在起在此服务器使用已保存的密钥。</translation>
    </message>
    <message>
        <source>Key, if the server asks for one</source>
        <translation>密钥（如果服务器要求）</translation>
    </message>
    <message>
        <source>The passphrase of the file</source>
        <translation>文件的密码短语</translation>
    </message>
    <message>
        <source>It is never written in plain text.</source>
        <translation>绝不以明文写入。</translation>
    </message>
    <message>
        <source>{why}: choose where the key is kept.</source>
        <translation>{why}：请选择密钥保存位置。</translation>
    </message>
    <message>
        <source>Models of {label}</source>
        <translation>{label} 的模型</translation>
    </message>
    <message>
        <source>Arrows move, Space ticks, F2 or typing changes a cell.</source>
        <translation>方向键移动，空格键勾选，F2 或直接输入更改单元格。</translation>
    </message>
    <message>
        <source>Id of a model that is missing</source>
        <translation>缺少的模型的 ID</translation>
    </message>
    <message>
        <source>Fetch the list again</source>
        <translation>重新获取列表</translation>
    </message>
    <message>
        <source>The team does not see it</source>
        <translation>团队看不到它</translation>
    </message>
    <message>
        <source>The team sees its name</source>
        <translation>团队能看到其名称</translation>
    </message>
    <message>
        <source>The team gets its text</source>
        <translation>团队能得到其文字</translation>
    </message>
    <message>
        <source>Files of {project}</source>
        <translation>{project} 的文件</translation>
    </message>
    <message>
        <source>ChatDesk reads these on this computer, keeps them current, and sends the passages that fit a question with it. The answer names them.</source>
        <translation>ChatDesk 在此计算机上读取它们并保持最新，随问题发送与之相符的片段。回答会注明这些片段。</translation>
    </message>
    <message>
        <source>Folders, files and pages</source>
        <translation>文件夹、文件和网页</translation>
    </message>
    <message>
        <source>Folder, file or address to add</source>
        <translation>要添加的文件夹、文件或地址</translation>
    </message>
    <message>
        <source>Path of a folder or file, or https://…</source>
        <translation>文件夹或文件的路径，或 https://…</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>文件夹…</translation>
    </message>
    <message>
        <source>Add a folder</source>
        <translation>添加文件夹</translation>
    </message>
    <message>
        <source>File…</source>
        <translation>文件…</translation>
    </message>
    <message>
        <source>Add a file</source>
        <translation>添加文件</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>添加</translation>
    </message>
    <message>
        <source>Last here</source>
        <translation>上次出现</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>等待中</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>Computers</source>
        <translation>计算机</translation>
    </message>
    <message>
        <source>Remove this computer…</source>
        <translation>移除此计算机…</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>恢复</translation>
    </message>
    <message>
        <source>Have the same chats on all computers of yours. A folder that something carries between them is enough: Syncthing, Nextcloud, Dropbox, a network drive or a USB stick. Everything is encrypted before it is written there.</source>
        <translation>在你的所有计算机上使用相同的聊天。只需一个在它们之间同步的文件夹：Syncthing、Nextcloud、Dropbox、网络驱动器或 U 盘。所有内容在写入之前都会加密。</translation>
    </message>
    <message>
        <source>Start…</source>
        <translation>开始…</translation>
    </message>
    <message>
        <source>Join…</source>
        <translation>加入…</translation>
    </message>
    <message>
        <source>The first computer</source>
        <translation>第一台计算机</translation>
    </message>
    <message>
        <source>Choose an empty folder. You get a recovery phrase, which your other computers need.</source>
        <translation>请选择空文件夹。你会得到一个恢复短语，其他计算机需要它。</translation>
    </message>
    <message>
        <source>A further computer, or a new one</source>
        <translation>另一台或新的计算机</translation>
    </message>
    <message>
        <source>Choose the same folder and give the phrase. You see whose it is before anything is merged.</source>
        <translation>选择同一文件夹并输入短语。合并之前，你会看到它是谁的。</translation>
    </message>
    <message>
        <source>Join again…</source>
        <translation>再次加入…</translation>
    </message>
    <message>
        <source>Forget the folder…</source>
        <translation>不再使用文件夹…</translation>
    </message>
    <message>
        <source>older files</source>
        <translation>文件较旧</translation>
    </message>
    <message>
        <source>Read again</source>
        <translation>重新读取</translation>
    </message>
    <message>
        <source>Left out…</source>
        <translation>排除内容…</translation>
    </message>
    <message>
        <source>Choose what of the folder is left out</source>
        <translation>选择排除文件夹中的哪些内容</translation>
    </message>
    <message>
        <source>Secrets…</source>
        <translation>机密…</translation>
    </message>
    <message>
        <source>Choose which files that look like secrets are read</source>
        <translation>选择读取哪些看似机密的文件</translation>
    </message>
    <message>
        <source>What the team gets</source>
        <translation>团队能得到的内容</translation>
    </message>
    <message>
        <source>With the text, members&apos; computers get all passages. Where a member chose a provider&apos;s model for the vectors, it gets them, too.</source>
        <translation>提供文字时，成员的计算机会得到所有片段。如果成员为向量选择了提供商的模型，该提供商也会得到它们。</translation>
    </message>
    <message>
        <source>Change…</source>
        <translation>更改…</translation>
    </message>
    <message>
        <source>Change what makes the vectors</source>
        <translation>更改生成向量的方式</translation>
    </message>
    <message>
        <source>Who gets them…</source>
        <translation>发送给谁…</translation>
    </message>
    <message>
        <source>Choose which providers get the files</source>
        <translation>选择哪些提供商会得到这些文件</translation>
    </message>
    <message>
        <source>Try a question</source>
        <translation>试一个问题</translation>
    </message>
    <message>
        <source>Try a question: what would be found?</source>
        <translation>试一个问题：会找到什么？</translation>
    </message>
    <message>
        <source>What would be found</source>
        <translation>会找到的内容</translation>
    </message>
    <message>
        <source>Kept questions…</source>
        <translation>保留的问题…</translation>
    </message>
    <message>
        <source>Keep questions and run them again</source>
        <translation>保留问题并再次运行</translation>
    </message>
    <message numerus="yes">
        <source>and {count} more</source>
        <comment>and {count} more</comment>
        <translation>
            <numerusform>以及另外 {count} 个</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} passages found</source>
        <comment>{count} passage found</comment>
        <translation>
            <numerusform>找到 {count} 个片段</numerusform>
        </translation>
    </message>
    <message>
        <source>Go on reading</source>
        <translation>继续读取</translation>
    </message>
    <message>
        <source>shared by the team</source>
        <translation>由团队共享</translation>
    </message>
    <message>
        <source>being listed</source>
        <translation>正在列出</translation>
    </message>
    <message>
        <source>last read {when}</source>
        <translation>上次读取 {when}</translation>
    </message>
    <message>
        <source>Add the model</source>
        <translation>添加模型</translation>
    </message>
    <message>
        <source>What you type comes before what the server says. Prices are used for costs and limits.</source>
        <translation>你输入的内容优先于服务器所述。价格用于费用和限额。</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>与系统相同</translation>
    </message>
    <message>
        <source>Connection</source>
        <translation>连接</translation>
    </message>
    <message>
        <source>First word</source>
        <translation>首个词</translation>
    </message>
    <message>
        <source>Silence</source>
        <translation>静默</translation>
    </message>
    <message>
        <source>Model for new threads</source>
        <translation>新对话的模型</translation>
    </message>
    <message>
        <source>Only those of the system</source>
        <translation>仅系统的证书</translation>
    </message>
    <message>
        <source>The usual time</source>
        <translation>默认时间</translation>
    </message>
    <message>
        <source>Organisation</source>
        <translation>组织</translation>
    </message>
    <message>
        <source>Proxy</source>
        <translation>代理</translation>
    </message>
    <message>
        <source>As the system, none, or an address such as http://proxy.example:3128</source>
        <translation>与系统相同、无，或形如 http://proxy.example:3128 的地址</translation>
    </message>
    <message>
        <source>File of certificates</source>
        <translation>证书文件</translation>
    </message>
    <message>
        <source>Choose a file of certificates</source>
        <translation>选择证书文件</translation>
    </message>
    <message>
        <source>Headers, one a line as Name: value</source>
        <translation>标头，每行一个，形如 Name: value</translation>
    </message>
    <message>
        <source>{what}, seconds</source>
        <translation>{what}，秒</translation>
    </message>
    <message>
        <source>Certificates to trust in addition to the system&apos;s</source>
        <translation>除系统证书外还信任的证书</translation>
    </message>
    <message>
        <source>Headers; values that are keys are stored with your keys</source>
        <translation>标头；属于密钥的值与你的密钥一起存储</translation>
    </message>
    <message>
        <source>Seconds to wait for</source>
        <translation>等待秒数</translation>
    </message>
    <message>
        <source>Certificates (*.pem *.crt *.cer);;All files (*)</source>
        <translation>证书 (*.pem *.crt *.cer);;所有文件 (*)</translation>
    </message>
    <message>
        <source>{what} must be a number of seconds.</source>
        <translation>{what}必须是秒数。</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>已停止</translation>
    </message>
    <message>
        <source>The picture that is sent with the question</source>
        <translation>随问题发送的图片</translation>
    </message>
    <message>
        <source>Clipboard</source>
        <translation>剪贴板</translation>
    </message>
    <message>
        <source>Selection</source>
        <translation>所选内容</translation>
    </message>
    <message>
        <source>Screenshot</source>
        <translation>屏幕截图</translation>
    </message>
    <message>
        <source>There is no text on the clipboard.</source>
        <translation>剪贴板上没有文字。</translation>
    </message>
    <message>
        <source>No text is selected in another window.</source>
        <translation>另一个窗口中没有选择文字。</translation>
    </message>
    <message numerus="yes">
        <source>{name}, only the first {count} characters</source>
        <comment>{name}, only the first {count} character</comment>
        <translation>
            <numerusform>{name}，仅前 {count} 个字符</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}, {count} characters</source>
        <comment>{name}, {count} character</comment>
        <translation>
            <numerusform>{name}，{count} 个字符</numerusform>
        </translation>
    </message>
    <message>
        <source>Ask anything</source>
        <translation>随便问点什么</translation>
    </message>
    <message>
        <source>Add the clipboard</source>
        <translation>添加剪贴板内容</translation>
    </message>
    <message>
        <source>Add the selection</source>
        <translation>添加所选内容</translation>
    </message>
    <message>
        <source>Add a screenshot</source>
        <translation>添加屏幕截图</translation>
    </message>
    <message>
        <source>New</source>
        <comment>question</comment>
        <translation>新问题</translation>
    </message>
    <message>
        <source>Open in ChatDesk</source>
        <translation>在 ChatDesk 中打开</translation>
    </message>
    <message>
        <source>{words}: leave it out</source>
        <translation>{words}：略去</translation>
    </message>
    <message>
        <source>Choose a part of the screen</source>
        <translation>选择屏幕的一部分</translation>
    </message>
    <message>
        <source>Drag over a part, or press Enter for what is framed. Arrows move the frame, Shift+arrows change its size, Alt makes small steps, Esc leaves.</source>
        <translation>拖动选择一部分，或按 Enter 选取框内内容。方向键移动选框，Shift+方向键更改大小，Alt 使步幅变小，Esc 离开。</translation>
    </message>
    <message>
        <source>This desktop lets programs take no picture of the screen.</source>
        <translation>此桌面不允许程序截取屏幕。</translation>
    </message>
    <message>
        <source>Nothing was taken.</source>
        <translation>未截取任何内容。</translation>
    </message>
    <message>
        <source>Take one with the desktop&apos;s own program, and paste it into a message in the large window.</source>
        <translation>请用桌面自带的程序截取，并粘贴到主窗口的消息中。</translation>
    </message>
    <message>
        <source>The desktop gave no file with the picture.</source>
        <translation>桌面没有提供图片文件。</translation>
    </message>
    <message>
        <source>The picture of the screen is too large.</source>
        <translation>屏幕图片太大。</translation>
    </message>
    <message>
        <source>The desktop&apos;s picture of the screen cannot be read.</source>
        <translation>无法读取桌面的屏幕图片。</translation>
    </message>
    <message>
        <source>Making a backup…</source>
        <translation>正在备份…</translation>
    </message>
    <message>
        <source>Checking… This reads everything and can take a while.</source>
        <translation>正在检查…这会读取所有内容，可能需要一些时间。</translation>
    </message>
    <message>
        <source>Checking and repairing…</source>
        <translation>正在检查和修复…</translation>
    </message>
    <message>
        <source>Writing the zip…</source>
        <translation>正在写入 zip…</translation>
    </message>
    <message>
        <source>Checking the database</source>
        <translation>正在检查数据库</translation>
    </message>
    <message>
        <source>Repairing the database</source>
        <translation>正在修复数据库</translation>
    </message>
    <message>
        <source>Another window has this data directory open.</source>
        <translation>另一个窗口已打开此数据目录。</translation>
    </message>
    <message>
        <source>The backup was made: {name}</source>
        <translation>备份已创建：{name}</translation>
    </message>
    <message>
        <source>Nothing is wrong.</source>
        <translation>没有问题。</translation>
    </message>
    <message>
        <source>Save everything as a zip</source>
        <translation>将所有内容保存为 zip</translation>
    </message>
    <message>
        <source>Everything was saved to {name}.</source>
        <translation>所有内容已保存到 {name}。</translation>
    </message>
    <message>
        <source>and {lost} more</source>
        <translation>以及另外 {lost} 个</translation>
    </message>
    <message numerus="yes">
        <source>All but {count} attachments were saved to {name}:</source>
        <comment>All but {count} attachment was saved to {name}:</comment>
        <translation>
            <numerusform>除 {count} 个附件外，其余均已保存到 {name}：</numerusform>
        </translation>
    </message>
    <message>
        <source>Import and export</source>
        <translation>导入与导出</translation>
    </message>
    <message>
        <source>Take over chats from ChatGPT, Claude and others, or write yours as Markdown, web pages, PDF or JSON.</source>
        <translation>从 ChatGPT、Claude 等接收聊天，或将你的聊天写为 Markdown、网页、PDF 或 JSON。</translation>
    </message>
    <message>
        <source>Back up and restore</source>
        <translation>备份与恢复</translation>
    </message>
    <message>
        <source>ChatDesk makes a backup each day and before each upgrade, and checks each one.</source>
        <translation>ChatDesk 每天及每次升级前都会备份，并检查每个备份。</translation>
    </message>
    <message>
        <source>Save everything as a zip…</source>
        <translation>将所有内容保存为 zip…</translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation>显示文件夹</translation>
    </message>
    <message>
        <source>Restore…</source>
        <translation>恢复…</translation>
    </message>
    <message>
        <source>Check reads everything that is stored. Repair makes a copy first and says what it changed.</source>
        <translation>“检查”会读取存储的所有内容。“修复”会先创建副本，并说明更改了什么。</translation>
    </message>
    <message>
        <source>Check</source>
        <translation>检查</translation>
    </message>
    <message>
        <source>Repair</source>
        <translation>修复</translation>
    </message>
    <message>
        <source>Something went wrong?</source>
        <translation>出了问题？</translation>
    </message>
    <message>
        <source>Collects the log, the settings and failure reports, without your messages and keys.</source>
        <translation>收集日志、设置和故障报告，不含你的消息和密钥。</translation>
    </message>
    <message>
        <source>Backups are in {folder}</source>
        <translation>备份在 {folder} 中</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>… and {lines} more; &apos;chatdesk doctor --json&apos; lists them.</source>
        <translation>…以及另外 {lines} 项；&apos;chatdesk doctor --json&apos; 会列出它们。</translation>
    </message>
    <message>
        <source>{label}, its own choice</source>
        <translation>{label}，由它自己选择</translation>
    </message>
    <message>
        <source>General</source>
        <translation>常规</translation>
    </message>
    <message>
        <source>Providers</source>
        <translation>提供商</translation>
    </message>
    <message>
        <source>Usage and limits</source>
        <translation>用量与限额</translation>
    </message>
    <message>
        <source>Accessibility</source>
        <translation>辅助功能</translation>
    </message>
    <message>
        <source>Team sync</source>
        <translation>团队同步</translation>
    </message>
    <message>
        <source>Local service</source>
        <translation>本地服务</translation>
    </message>
    <message>
        <source>Data and backup</source>
        <translation>数据与备份</translation>
    </message>
    <message>
        <source>Shortcuts</source>
        <translation>快捷键</translation>
    </message>
    <message>
        <source>Enter the passphrase…</source>
        <translation>输入密码短语…</translation>
    </message>
    <message>
        <source>Change the passphrase…</source>
        <translation>更改密码短语…</translation>
    </message>
    <message>
        <source>Add provider</source>
        <translation>添加提供商</translation>
    </message>
    <message>
        <source>Look for servers on this computer</source>
        <translation>在此计算机上查找服务器</translation>
    </message>
    <message>
        <source>Only this computer is asked, at the usual ports, and no key is sent.</source>
        <translation>仅询问此计算机的常用端口，不发送任何密钥。</translation>
    </message>
    <message>
        <source>Always available</source>
        <translation>始终可用</translation>
    </message>
    <message>
        <source>Needs no network, for trying things out</source>
        <translation>无需网络，用于试用</translation>
    </message>
    <message>
        <source>Your keys are in a locked file. Enter its passphrase to use them.</source>
        <translation>你的密钥在已锁定的文件中。请输入其密码短语以使用它们。</translation>
    </message>
    <message>
        <source>Switched off</source>
        <translation>已关闭</translation>
    </message>
    <message>
        <source>Test {label}</source>
        <translation>测试 {label}</translation>
    </message>
    <message>
        <source>Edit {label}</source>
        <translation>编辑 {label}</translation>
    </message>
    <message>
        <source>Search the memories</source>
        <translation>搜索记忆</translation>
    </message>
    <message>
        <source>Memories to show</source>
        <translation>要显示的记忆</translation>
    </message>
    <message>
        <source>Add…</source>
        <translation>添加…</translation>
    </message>
    <message>
        <source>Edit…</source>
        <translation>编辑…</translation>
    </message>
    <message>
        <source>Show its message</source>
        <translation>显示其消息</translation>
    </message>
    <message>
        <source>Delete what is chosen</source>
        <translation>删除所选内容</translation>
    </message>
    <message>
        <source>Providers that get memories. None gets them unless you tick it.</source>
        <translation>会得到记忆的提供商。除非你勾选，否则都不会得到。</translation>
    </message>
    <message>
        <source>Providers that get memories</source>
        <translation>会得到记忆的提供商</translation>
    </message>
    <message>
        <source>What you confirm is kept, and sent with your questions to the providers that you tick below.</source>
        <translation>你确认的内容会被保留，并随问题发送给你在下方勾选的提供商。</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent. What is here stays until you delete it.</source>
        <translation>记忆已关闭：不会保留或发送任何内容。这里的内容会保留，直到你将其删除。</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent until you turn it on. What is here can be deleted.</source>
        <translation>记忆已关闭：在你开启之前，不会保留或发送任何内容。这里的内容可以删除。</translation>
    </message>
    <message>
        <source>All memories</source>
        <translation>所有记忆</translation>
    </message>
    <message>
        <source>{name} (at a new address: tick it again)</source>
        <translation>{name}（地址已变：请重新勾选）</translation>
    </message>
    <message>
        <source>{name} — {address}</source>
        <translation>{name} — {address}</translation>
    </message>
    <message>
        <source>Undo the deletion</source>
        <translation>撤销删除</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories</source>
        <comment>{count} memory</comment>
        <translation>
            <numerusform>{count} 条记忆</numerusform>
        </translation>
    </message>
    <message>
        <source>No memory matches.</source>
        <translation>没有相符的记忆。</translation>
    </message>
    <message>
        <source>Nothing is remembered yet.</source>
        <translation>还没有记住任何内容。</translation>
    </message>
    <message>
        <source>Export the memories</source>
        <translation>导出记忆</translation>
    </message>
    <message>
        <source>JSON files (*.json)</source>
        <translation>JSON 文件 (*.json)</translation>
    </message>
    <message>
        <source>Models…</source>
        <translation>模型…</translation>
    </message>
    <message>
        <source>Enter a key</source>
        <translation>输入密钥</translation>
    </message>
    <message>
        <source>Switch off</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Switch on</source>
        <translation>开启</translation>
    </message>
    <message numerus="yes">
        <source>{count} models of {label}</source>
        <comment>{count} model of {label}</comment>
        <translation>
            <numerusform>{label} 的 {count} 个模型</numerusform>
        </translation>
    </message>
    <message>
        <source>Fetched {fetched}</source>
        <translation>获取于 {fetched}</translation>
    </message>
    <message>
        <source>Looking…</source>
        <translation>正在查找…</translation>
    </message>
    <message>
        <source>Not tested</source>
        <translation>未测试</translation>
    </message>
    <message>
        <source>Result of the test</source>
        <translation>测试结果</translation>
    </message>
    <message>
        <source>Everything works.</source>
        <translation>一切正常。</translation>
    </message>
    <message>
        <source>Encryption</source>
        <translation>加密</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>密钥</translation>
    </message>
    <message>
        <source>Streaming</source>
        <translation>流式传输</translation>
    </message>
    <message>
        <source>The key is not used before you agree</source>
        <translation>在你同意之前不使用密钥</translation>
    </message>
    <message>
        <source>Key from the variable {variable}</source>
        <translation>来自变量 {variable} 的密钥</translation>
    </message>
    <message>
        <source>API key in the system keyring</source>
        <translation>API 密钥在系统密钥环中</translation>
    </message>
    <message>
        <source>API key in the encrypted file</source>
        <translation>API 密钥在加密文件中</translation>
    </message>
    <message>
        <source>API key for this run only</source>
        <translation>API 密钥仅用于本次运行</translation>
    </message>
    <message>
        <source>No key yet</source>
        <translation>还没有密钥</translation>
    </message>
    <message>
        <source>On this computer</source>
        <translation>在此计算机上</translation>
    </message>
    <message>
        <source>Any OpenAI-compatible address</source>
        <translation>任何兼容 OpenAI 的地址</translation>
    </message>
    <message>
        <source>No key needed</source>
        <translation>不需要密钥</translation>
    </message>
    <message>
        <source>{code}: the key was refused</source>
        <translation>{code}：密钥被拒绝</translation>
    </message>
    <message numerus="yes">
        <source>Works, {count} models</source>
        <comment>Works, {count} model</comment>
        <translation>
            <numerusform>可用，{count} 个模型</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk first backs up what is there now. Then it closes, restores the backup you chose, and opens again.</source>
        <translation>ChatDesk 会先备份现有内容，然后关闭，恢复你选择的备份，再重新打开。</translation>
    </message>
    <message>
        <source>Restore a backup</source>
        <translation>恢复备份</translation>
    </message>
    <message>
        <source>Backups, the newest first</source>
        <translation>备份，最新的在前</translation>
    </message>
    <message>
        <source>Other file…</source>
        <translation>其他文件…</translation>
    </message>
    <message>
        <source>There is no backup yet.</source>
        <translation>还没有备份。</translation>
    </message>
    <message>
        <source>Looking into it…</source>
        <translation>正在查看…</translation>
    </message>
    <message>
        <source>Unpacking and checking the backup…</source>
        <translation>正在解包并检查备份…</translation>
    </message>
    <message>
        <source>Choose a backup</source>
        <translation>选择备份</translation>
    </message>
    <message>
        <source>Backups (*.zip *.gz *.db);;All files (*)</source>
        <translation>备份 (*.zip *.gz *.db);;所有文件 (*)</translation>
    </message>
    <message>
        <source>before a restore</source>
        <translation>恢复之前</translation>
    </message>
    <message>
        <source>before a repair</source>
        <translation>修复之前</translation>
    </message>
    <message>
        <source>before an upgrade</source>
        <translation>升级之前</translation>
    </message>
    <message>
        <source>daily</source>
        <translation>每日</translation>
    </message>
    <message>
        <source>Newest message: {newest}</source>
        <translation>最新消息：{newest}</translation>
    </message>
    <message>
        <source>Newest threads:</source>
        <translation>最新对话：</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>搜索</translation>
    </message>
    <message>
        <source>Not saved: {why}.</source>
        <translation>未保存：{why}。</translation>
    </message>
    <message>
        <source>Pages of the settings</source>
        <translation>设置页面</translation>
    </message>
    <message>
        <source>The environment variable {env} decides this.</source>
        <translation>由环境变量 {env} 决定。</translation>
    </message>
    <message>
        <source>{hint} It is tried out until {day}, and may change.</source>
        <translation>{hint} 试用至 {day}，可能会有变化。</translation>
    </message>
    <message>
        <source>Add a provider</source>
        <translation>添加提供商</translation>
    </message>
    <message>
        <source>API key server model connect</source>
        <translation>API key server model connect 密钥 服务器 模型 连接</translation>
    </message>
    <message>
        <source>keys</source>
        <translation>keys 按键 快捷键</translation>
    </message>
    <message>
        <source>global shortcut hotkey quick window</source>
        <translation>global shortcut hotkey quick window 全局快捷键 热键 快捷窗口</translation>
    </message>
    <message>
        <source>workspace join share invite</source>
        <translation>workspace join share invite 工作区 加入 共享 邀请</translation>
    </message>
    <message>
        <source>sync folder recovery phrase laptop</source>
        <translation>sync folder recovery phrase laptop 同步 文件夹 恢复短语 笔记本</translation>
    </message>
    <message>
        <source>cost money tokens price spend</source>
        <translation>cost money tokens price spend 费用 花费 价格 支出</translation>
    </message>
    <message>
        <source>Found settings</source>
        <translation>找到的设置</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>未找到任何内容</translation>
    </message>
    <message numerus="yes">
        <source>days</source>
        <comment>day</comment>
        <translation>
            <numerusform>天</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>weeks</source>
        <comment>week</comment>
        <translation>
            <numerusform>周</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>minutes</source>
        <comment>minute</comment>
        <translation>
            <numerusform>分钟</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>seconds</source>
        <comment>second</comment>
        <translation>
            <numerusform>秒</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>tokens</source>
        <comment>token</comment>
        <translation>
            <numerusform>token</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>files</source>
        <comment>file</comment>
        <translation>
            <numerusform>个文件</numerusform>
        </translation>
    </message>
    <message>
        <source>Drafts, pins, the archive, what you marked for the context, your keys and your prompts stay on this computer. So do the project&apos;s files: the team sees only the names of the folders and files that you added, or their text if you choose so in Files.</source>
        <translation>草稿、固定、归档、为上下文所做的标记、密钥和提示词都留在此计算机上。项目的文件也是如此：团队只能看到你添加的文件夹和文件的名称；如果你在“文件”中选择提供文字，则也能看到其文字。</translation>
    </message>
    <message>
        <source>Share “{name}”</source>
        <translation>共享“{name}”</translation>
    </message>
    <message>
        <source>Counting…</source>
        <translation>正在统计…</translation>
    </message>
    <message>
        <source>Workspace that the project is shared with</source>
        <translation>与之共享项目的工作区</translation>
    </message>
    <message>
        <source>The project will be shared with “{name}”.</source>
        <translation>项目将与“{name}”共享。</translation>
    </message>
    <message>
        <source>Choose the workspace that the project is shared with.</source>
        <translation>选择要与之共享项目的工作区。</translation>
    </message>
    <message>
        <source>With the workspace</source>
        <translation>与工作区</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>共享</translation>
    </message>
    <message>
        <source>New threads go into “{name}” unless you choose another project. Once it is shared, others see them. To keep it to yourself, make a new project for what you share.</source>
        <translation>除非你选择其他项目，新对话都会进入“{name}”。共享之后，其他人会看到它们。若想自己保留它，请为要共享的内容新建一个项目。</translation>
    </message>
    <message>
        <source>Who will see it</source>
        <translation>谁会看到</translation>
    </message>
    <message>
        <source>At first only you, on all your computers. Then those whom you give a role, here or by inviting them.</source>
        <translation>起初只有你，在你的所有计算机上。之后是你在这里或通过邀请赋予角色的人。</translation>
    </message>
    <message>
        <source>What never leaves</source>
        <translation>永不离开的内容</translation>
    </message>
    <message>
        <source>What cannot be taken back</source>
        <translation>无法收回的内容</translation>
    </message>
    <message>
        <source>Good to know</source>
        <translation>须知</translation>
    </message>
    <message>
        <source>{who} Threads of a shared project cannot be moved out of it, only copied.</source>
        <translation>{who} 共享项目的对话不能移出，只能复制。</translation>
    </message>
    <message>
        <source>Sharing the project…</source>
        <translation>正在共享项目…</translation>
    </message>
    <message>
        <source>Sharing of “{name}”</source>
        <translation>“{name}”的共享</translation>
    </message>
    <message>
        <source>Shared with “{workspace}”. Your role is {role}: {hint}.</source>
        <translation>与“{workspace}”共享。你的角色是{role}：{hint}。</translation>
    </message>
    <message>
        <source>Who sees it</source>
        <translation>谁能看到</translation>
    </message>
    <message>
        <source>How long messages are kept</source>
        <translation>消息保留多久</translation>
    </message>
    <message>
        <source>Stop sharing…</source>
        <translation>停止共享…</translation>
    </message>
    <message>
        <source>Leave project…</source>
        <translation>离开项目…</translation>
    </message>
    <message>
        <source>Stop and erase…</source>
        <translation>停止并抹除…</translation>
    </message>
    <message>
        <source>Invite…</source>
        <translation>邀请…</translation>
    </message>
    <message>
        <source>Role of {name}</source>
        <translation>{name} 的角色</translation>
    </message>
    <message>
        <source>Member</source>
        <translation>成员</translation>
    </message>
    <message>
        <source>A change takes effect at once. People who lose access keep the copy that is on their computer already.</source>
        <translation>更改立即生效。失去访问权的人会保留其计算机上已有的副本。</translation>
    </message>
    <message>
        <source>Setting how long messages are kept…</source>
        <translation>正在设置消息保留时间…</translation>
    </message>
    <message>
        <source>Changing the role…</source>
        <translation>正在更改角色…</translation>
    </message>
    <message>
        <source>Older messages are being sent.</source>
        <translation>正在发送较旧的消息。</translation>
    </message>
    <message>
        <source>Everything in it has reached the team.</source>
        <translation>其中的所有内容都已到达团队。</translation>
    </message>
    <message>
        <source>Sharing ends for everybody at once.</source>
        <translation>对所有人的共享立即结束。</translation>
    </message>
    <message numerus="yes">
        <source>{count} other members can no longer see what is new.</source>
        <comment>{count} other member can no longer see what is new.</comment>
        <translation>
            <numerusform>其他 {count} 位成员将无法再看到新内容。</numerusform>
        </translation>
    </message>
    <message>
        <source>Each computer that has it keeps its copy as a private project, this one too; nothing is deleted here.</source>
        <translation>每台拥有它的计算机（包括这一台）都将其副本保留为私有项目；这里不删除任何内容。</translation>
    </message>
    <message>
        <source>Stop sharing “{name}”?</source>
        <translation>停止共享“{name}”吗？</translation>
    </message>
    <message>
        <source>Stop sharing</source>
        <translation>停止共享</translation>
    </message>
    <message>
        <source>You and the others no longer get each other&apos;s messages. The copy on this computer stays, as a private project. To come back, somebody who manages it has to give you a role again.</source>
        <translation>你和其他人不再收到彼此的消息。此计算机上的副本作为私有项目保留。要回来，须由管理它的人重新赋予你角色。</translation>
    </message>
    <message>
        <source>Leave “{name}”?</source>
        <translation>离开“{name}”吗？</translation>
    </message>
    <message>
        <source>Leave</source>
        <translation>离开</translation>
    </message>
    <message>
        <source>Everything in it is removed: from the server at once, and from every computer when it syncs next, this one too.</source>
        <translation>其中的所有内容都会移除：立即从服务器移除，并在下次同步时从每台计算机移除，包括这一台。</translation>
    </message>
    <message numerus="yes">
        <source>{count} other members lose it, too.</source>
        <comment>{count} other member loses it, too.</comment>
        <translation>
            <numerusform>其他 {count} 位成员也会失去它。</numerusform>
        </translation>
    </message>
    <message>
        <source>What somebody wrote and did not send yet stays with them. This cannot be undone. Backups keep it until they are replaced, and so does anyone who copied or exported it, or left with a private copy.</source>
        <translation>他人已写但尚未发送的内容留在其处。此操作无法撤销。备份会保留它直到被替换；复制或导出过它，或带着私有副本离开的人也会保留它。</translation>
    </message>
    <message>
        <source>Stop sharing “{name}” and erase it for everyone?</source>
        <translation>停止共享“{name}”并为所有人抹除吗？</translation>
    </message>
    <message>
        <source>Stop and erase</source>
        <translation>停止并抹除</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes of yours did not reach the team yet and will stay only here.</source>
        <comment>{count} change of yours did not reach the team yet and will stay only here.</comment>
        <translation>
            <numerusform>你的 {count} 项更改尚未到达团队，将只留在此处。</numerusform>
        </translation>
    </message>
    <message>
        <source>Copy text</source>
        <translation>复制文字</translation>
    </message>
    <message>
        <source>Team sync: details</source>
        <translation>团队同步：详情</translation>
    </message>
    <message>
        <source>Workspace</source>
        <translation>工作区</translation>
    </message>
    <message>
        <source>Check against the server</source>
        <translation>与服务器核对</translation>
    </message>
    <message>
        <source>When</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>What</source>
        <translation>内容</translation>
    </message>
    <message>
        <source>Took</source>
        <translation>用时</translation>
    </message>
    <message>
        <source>Sync log</source>
        <translation>同步日志</translation>
    </message>
    <message>
        <source>{count} ms</source>
        <translation>{count} 毫秒</translation>
    </message>
    <message>
        <source>Go on without them…</source>
        <translation>不带它们继续…</translation>
    </message>
    <message numerus="yes">
        <source>Refused: {count} changes</source>
        <comment>Refused: {count} change</comment>
        <translation>
            <numerusform>被拒绝：{count} 项更改</numerusform>
        </translation>
    </message>
    <message>
        <source>Why</source>
        <translation>原因</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>文本</translation>
    </message>
    <message>
        <source>Refused changes</source>
        <translation>被拒绝的更改</translation>
    </message>
    <message>
        <source>The team does not have these, or has something else in their place. They are kept on this computer only, until you forget them.</source>
        <translation>团队没有这些内容，或在其位置有别的内容。它们只保存在此计算机上，直到你将其遗忘。</translation>
    </message>
    <message>
        <source>Forget…</source>
        <translation>遗忘…</translation>
    </message>
    <message>
        <source>For the selected changes</source>
        <translation>对所选更改</translation>
    </message>
    <message>
        <source>Asking the server…</source>
        <translation>正在询问服务器…</translation>
    </message>
    <message>
        <source>… and {count} more.</source>
        <translation>…以及另外 {count} 个。</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects</source>
        <comment>{count} project</comment>
        <translation>
            <numerusform>{count} 个项目</numerusform>
        </translation>
    </message>
    <message>
        <source>Encrypted, the server proves who it is</source>
        <translation>加密，服务器证明其身份</translation>
    </message>
    <message>
        <source>Not encrypted, for a server on this computer or in a network of your own</source>
        <translation>不加密，用于此计算机上或自己网络中的服务器</translation>
    </message>
    <message>
        <source>Connection string</source>
        <translation>连接字符串</translation>
    </message>
    <message>
        <source>Pasted text fills in the fields below.</source>
        <translation>粘贴的文字会填入下方的字段。</translation>
    </message>
    <message>
        <source>Host</source>
        <translation>主机</translation>
    </message>
    <message>
        <source>User</source>
        <translation>用户</translation>
    </message>
    <message>
        <source>An empty database</source>
        <translation>一个空数据库</translation>
    </message>
    <message>
        <source>An account that may create roles</source>
        <translation>可创建角色的账户</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>密码</translation>
    </message>
    <message>
        <source>Certificate file…</source>
        <translation>证书文件…</translation>
    </message>
    <message>
        <source>Certificate of the authority that vouches for the server</source>
        <translation>为服务器作担保的颁发机构的证书</translation>
    </message>
    <message>
        <source>Certificates that this computer trusts</source>
        <translation>此计算机信任的证书</translation>
    </message>
    <message>
        <source>Paste the connection string of an owner&apos;s account, or fill in the fields.</source>
        <translation>请粘贴所有者账户的连接字符串，或填写各字段。</translation>
    </message>
    <message>
        <source>Trusted certificates</source>
        <translation>受信任的证书</translation>
    </message>
    <message>
        <source>The certificate named in the connection string</source>
        <translation>连接字符串中指定的证书</translation>
    </message>
    <message>
        <source>The certificate used so far</source>
        <translation>到目前为止使用的证书</translation>
    </message>
    <message>
        <source>Certificate of the authority</source>
        <translation>颁发机构的证书</translation>
    </message>
    <message>
        <source>{name} is not a certificate in PEM form. Nothing was changed.</source>
        <translation>{name} 不是 PEM 格式的证书。未做任何更改。</translation>
    </message>
    <message>
        <source>Only what {name} vouches for</source>
        <translation>仅 {name} 所担保的</translation>
    </message>
    <message>
        <source>fine</source>
        <translation>正常</translation>
    </message>
    <message>
        <source>a warning</source>
        <translation>警告</translation>
    </message>
    <message>
        <source>Create a workspace</source>
        <translation>创建工作区</translation>
    </message>
    <message>
        <source>Name of the workspace</source>
        <translation>工作区名称</translation>
    </message>
    <message>
        <source>Your name, as the others see it</source>
        <translation>你的名称，他人会看到</translation>
    </message>
    <message>
        <source>For example: the name of your team</source>
        <translation>例如：团队的名称</translation>
    </message>
    <message>
        <source>For example: Ana Lima</source>
        <translation>例如：王小明</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>下一步</translation>
    </message>
    <message>
        <source>Set up</source>
        <translation>设置工作区</translation>
    </message>
    <message>
        <source>Invite people…</source>
        <translation>邀请他人…</translation>
    </message>
    <message>
        <source>“{name}” is ready, and you are its owner. Nothing is shared yet: open a project and choose Share…, and invite the people you work with.</source>
        <translation>“{name}”已就绪，你是其所有者。尚未共享任何内容：请打开一个项目并选择“共享…”，然后邀请与你共事的人。</translation>
    </message>
    <message>
        <source>A workspace is a PostgreSQL database, 15 or newer, that your team&apos;s computers share changes through. Give an empty one, and an account that may create roles; its password is used now and not kept.</source>
        <translation>工作区是一个 PostgreSQL 数据库（15 或更新版本），团队的计算机通过它共享更改。请提供一个空数据库，以及可创建角色的账户；其密码现在使用，不会保存。</translation>
    </message>
    <message>
        <source>Was the workspace set up by hand? Then sign in with your login.</source>
        <translation>工作区是手动设置的吗？那么请用你的登录名登录。</translation>
    </message>
    <message>
        <source>Sign in</source>
        <translation>登录</translation>
    </message>
    <message>
        <source>Your name</source>
        <translation>你的名称</translation>
    </message>
    <message>
        <source>If setting up is interrupted, set up the same database again: it continues.</source>
        <translation>如果设置中断，请再次设置同一个数据库：它会继续。</translation>
    </message>
    <message>
        <source>Looking at the database…</source>
        <translation>正在查看数据库…</translation>
    </message>
    <message>
        <source>Signing in…</source>
        <translation>正在登录…</translation>
    </message>
    <message>
        <source>Setting up the workspace…</source>
        <translation>正在设置工作区…</translation>
    </message>
    <message>
        <source>What was found</source>
        <translation>检查结果</translation>
    </message>
    <message numerus="yes">
        <source>{count} problems must be fixed first.</source>
        <comment>{count} problem must be fixed first.</comment>
        <translation>
            <numerusform>必须先解决 {count} 个问题。</numerusform>
        </translation>
    </message>
    <message>
        <source>A workspace can be set up here.</source>
        <translation>可以在这里设置工作区。</translation>
    </message>
    <message>
        <source>A computer</source>
        <translation>一台计算机</translation>
    </message>
    <message>
        <source>Take off the list…</source>
        <translation>从列表移除…</translation>
    </message>
    <message>
        <source>Code</source>
        <comment>invitation</comment>
        <translation>邀请码</translation>
    </message>
    <message>
        <source>Copy the code</source>
        <translation>复制代码</translation>
    </message>
    <message>
        <source>Save as file…</source>
        <translation>保存为文件…</translation>
    </message>
    <message>
        <source>The code is in the clipboard.</source>
        <translation>代码已在剪贴板中。</translation>
    </message>
    <message>
        <source>The link is in the clipboard.</source>
        <translation>链接已在剪贴板中。</translation>
    </message>
    <message>
        <source>Save the invitation</source>
        <translation>保存邀请</translation>
    </message>
    <message>
        <source>Invitations (*{ending})</source>
        <translation>邀请 (*{ending})</translation>
    </message>
    <message>
        <source>Saved as {name}. Anyone who has the file can use it, so send it only to them.</source>
        <translation>已保存为 {name}。任何持有该文件的人都可以使用它，因此只发送给对方。</translation>
    </message>
    <message>
        <source>Invite to “{workspace}”</source>
        <translation>邀请加入“{workspace}”</translation>
    </message>
    <message>
        <source>{workspace} invitation</source>
        <translation>{workspace} 邀请</translation>
    </message>
    <message>
        <source>Who is invited</source>
        <translation>被邀请者</translation>
    </message>
    <message>
        <source>Can be used for</source>
        <translation>有效期</translation>
    </message>
    <message>
        <source>No project is shared yet, or you manage none. They can be given roles later, under Members.</source>
        <translation>尚未共享项目，或没有由你管理的项目。之后可在“成员”下赋予角色。</translation>
    </message>
    <message>
        <source>Make an invitation</source>
        <translation>创建邀请</translation>
    </message>
    <message>
        <source>Role in {name}</source>
        <translation>在 {name} 中的角色</translation>
    </message>
    <message>
        <source>Their name; they can change it</source>
        <translation>对方的名称；对方可以更改</translation>
    </message>
    <message>
        <source>Days for which the invitation can be used</source>
        <translation>邀请可使用的天数</translation>
    </message>
    <message>
        <source> days</source>
        <translation> 天</translation>
    </message>
    <message>
        <source>Send this to {name} and nobody else: the first person who uses it takes that place. It works once, until {day}. They choose Join a workspace in Settings, Team sync.</source>
        <translation>请只发送给 {name}：第一个使用它的人会占用该名额。它仅可用一次，至 {day} 有效。对方在“设置”的“团队同步”中选择“加入工作区”。</translation>
    </message>
    <message>
        <source>Making the invitation…</source>
        <translation>正在创建邀请…</translation>
    </message>
    <message>
        <source>Add a computer of mine</source>
        <translation>添加我的计算机</translation>
    </message>
    <message>
        <source>{workspace} my computer</source>
        <translation>{workspace} 我的计算机</translation>
    </message>
    <message>
        <source>Type this passphrase on the other computer</source>
        <translation>请在另一台计算机上输入此密码短语</translation>
    </message>
    <message>
        <source>Take the code or file to your other computer, choose Join a workspace there, and type the passphrase. It can be used until {day}. The code alone opens nothing; do not send both the same way.</source>
        <translation>请将代码或文件带到你的另一台计算机，在那里选择“加入工作区”，并输入密码短语。可使用至 {day}。仅凭代码打不开任何内容；不要用同一种方式发送两者。</translation>
    </message>
    <message>
        <source>Invitations (*{ending});;All files (*)</source>
        <translation>邀请 (*{ending});;所有文件 (*)</translation>
    </message>
    <message>
        <source>Join a workspace</source>
        <translation>加入工作区</translation>
    </message>
    <message>
        <source>Invitation</source>
        <translation>邀请</translation>
    </message>
    <message>
        <source>Open file…</source>
        <translation>打开文件…</translation>
    </message>
    <message>
        <source>Join anyway: nothing is encrypted on the way</source>
        <translation>仍然加入：途中不加密</translation>
    </message>
    <message>
        <source>Paste the code or link that you were given, or open its file.</source>
        <translation>请粘贴给你的代码或链接，或打开其文件。</translation>
    </message>
    <message>
        <source>Passphrase that was shown beside the code</source>
        <translation>代码旁显示的密码短语</translation>
    </message>
    <message>
        <source>Join</source>
        <translation>加入</translation>
    </message>
    <message>
        <source>{name} cannot be read. Nothing was sent. Ask for the code as text.</source>
        <translation>无法读取 {name}。未发送任何内容。请要求以文字形式提供代码。</translation>
    </message>
    <message>
        <source>Open an invitation</source>
        <translation>打开邀请</translation>
    </message>
    <message>
        <source>Joining the workspace…</source>
        <translation>正在加入工作区…</translation>
    </message>
    <message>
        <source>Adds this computer to “{workspace}”. You are the same member as on the computer that made the code.</source>
        <translation>将此计算机添加到“{workspace}”。你与创建代码的计算机上是同一成员。</translation>
    </message>
    <message>
        <source>You are invited by {name} to “{workspace}”.</source>
        <translation>{name} 邀请你加入“{workspace}”。</translation>
    </message>
    <message>
        <source>You are invited to “{workspace}”.</source>
        <translation>你受邀加入“{workspace}”。</translation>
    </message>
    <message>
        <source>The database is {address}.</source>
        <translation>数据库为 {address}。</translation>
    </message>
    <message>
        <source>Projects: {projects}.</source>
        <translation>项目：{projects}。</translation>
    </message>
    <message>
        <source>It expired on {day}. Ask for a new one.</source>
        <translation>它已于 {day} 过期。请要求新的邀请。</translation>
    </message>
    <message>
        <source>It can be used until {day}.</source>
        <translation>可使用至 {day}。</translation>
    </message>
    <message>
        <source>It can be used once, until {day}.</source>
        <translation>可使用一次，至 {day} 有效。</translation>
    </message>
    <message>
        <source>The way to this server is not encrypted: anyone on the way can read and change everything. That is fine for a server on this computer or a network that only you use.</source>
        <translation>到此服务器的途中不加密：途中的任何人都能读取和更改所有内容。对此计算机上的服务器或只有你使用的网络来说没有问题。</translation>
    </message>
    <message>
        <source>This computer has no keyring that could keep the password. Keep it in ChatDesk&apos;s encrypted file of keys instead; you enter its passphrase once after each start.</source>
        <translation>此计算机没有可保存密码的密钥环。请改为保存在 ChatDesk 的加密密钥文件中；每次启动后输入一次其密码短语。</translation>
    </message>
    <message>
        <source>Keep it in the file</source>
        <translation>保存在文件中</translation>
    </message>
    <message>
        <source>The passphrase of the file of keys</source>
        <translation>密钥文件的密码短语</translation>
    </message>
    <message>
        <source>Leave “{workspace}”?</source>
        <translation>离开“{workspace}”吗？</translation>
    </message>
    <message>
        <source>Its projects stay on this computer, as private copies. Nothing is deleted here or there.</source>
        <translation>其项目作为私有副本留在此计算机上。此处和那里都不删除任何内容。</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes did not reach the team yet and will stay only here.</source>
        <comment>{count} change did not reach the team yet and will stay only here.</comment>
        <translation>
            <numerusform>{count} 项更改尚未到达团队，将只留在此处。</numerusform>
        </translation>
    </message>
    <message>
        <source>Only on this computer</source>
        <translation>仅在此计算机上</translation>
    </message>
    <message>
        <source>For good: end my membership</source>
        <translation>永久：结束我的成员身份</translation>
    </message>
    <message>
        <source>You stay a member; a code from another computer of yours brings this one back.</source>
        <translation>你仍是成员；用你另一台计算机上的代码即可让这台计算机重新加入。</translation>
    </message>
    <message>
        <source>Leaving the workspace…</source>
        <translation>正在离开工作区…</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>使用</translation>
    </message>
    <message>
        <source>Password for “{workspace}”</source>
        <translation>“{workspace}”的密码</translation>
    </message>
    <message>
        <source>ChatDesk made this password when you joined and keeps it with your keys. If it is lost, ask for a new invitation, or take a code from another computer of yours.</source>
        <translation>此密码由 ChatDesk 在你加入时创建，并与你的密钥一起保存。如果丢失，请要求新的邀请，或使用你另一台计算机的代码。</translation>
    </message>
    <message>
        <source>Trying the password…</source>
        <translation>正在尝试密码…</translation>
    </message>
    <message>
        <source>Rename the workspace</source>
        <translation>重命名工作区</translation>
    </message>
    <message>
        <source>All members see the new name.</source>
        <translation>所有成员都会看到新名称。</translation>
    </message>
    <message>
        <source>Renaming the workspace…</source>
        <translation>正在重命名工作区…</translation>
    </message>
    <message>
        <source>On all of your computers. What you wrote stays with the team; to come back you need an invitation.</source>
        <translation>在你的所有计算机上。你所写的内容留在团队；要回来需要邀请。</translation>
    </message>
    <message>
        <source>Make somebody else an owner first.</source>
        <translation>请先让他人成为所有者。</translation>
    </message>
    <message>
        <source>Owners invite people, remove members and make others owners.</source>
        <translation>所有者可邀请他人、移除成员，以及让他人成为所有者。</translation>
    </message>
    <message>
        <source>End their connections: for somebody whose unfinished change holds up the others</source>
        <translation>结束其连接：用于未完成的更改阻碍了他人的成员</translation>
    </message>
    <message>
        <source>Roles</source>
        <translation>角色</translation>
    </message>
    <message>
        <source>My name…</source>
        <translation>我的名称…</translation>
    </message>
    <message>
        <source>Manage…</source>
        <translation>管理…</translation>
    </message>
    <message>
        <source>New password…</source>
        <translation>新密码…</translation>
    </message>
    <message>
        <source>End their connections</source>
        <translation>结束其连接</translation>
    </message>
    <message>
        <source>Remove from the workspace…</source>
        <translation>从工作区移除…</translation>
    </message>
    <message>
        <source>Change name</source>
        <translation>更改名称</translation>
    </message>
    <message>
        <source>Owner of the workspace</source>
        <translation>工作区的所有者</translation>
    </message>
    <message>
        <source>Telling the server…</source>
        <translation>正在通知服务器…</translation>
    </message>
    <message>
        <source>Changing your name…</source>
        <translation>正在更改你的名称…</translation>
    </message>
    <message>
        <source>{people} and {more} more</source>
        <translation>{people} 以及另外 {more} 位</translation>
    </message>
    <message>
        <source>{name} invited {people}. They are still members, with the roles they have. Remove them as well if they came for {name} only; what they wrote stays either way.</source>
        <translation>{name} 邀请了 {people}。他们仍是成员，角色不变。如果他们只是因 {name} 而来，请一并移除；无论如何，他们所写的内容都会保留。</translation>
    </message>
    <message>
        <source>{name} can no longer log in, from any computer, from this moment on. What they wrote stays with the team; what is on their computer already stays there. To have them back, invite them again.</source>
        <translation>从此刻起，{name} 在任何计算机上都不能再登录。其所写内容留在团队；其计算机上已有的内容留在那里。要让其回来，请重新邀请。</translation>
    </message>
    <message>
        <source>This computer gets a new password that nobody sees. Your other computers can no longer log in with the old one: add them again with Add a computer of mine. Nothing is deleted.</source>
        <translation>此计算机会得到一个无人看到的新密码。你的其他计算机不能再用旧密码登录：请用“添加我的计算机”重新添加。不删除任何内容。</translation>
    </message>
    <message>
        <source>This profile was restored or repaired, or a copy of it is in use. ChatDesk does not connect to {address} until you say so; what waits here is sent then.</source>
        <translation>此配置文件经过恢复或修复，或者它的副本正在使用。在你同意之前，ChatDesk 不会连接到 {address}；在此等待的内容届时会发送。</translation>
    </message>
    <message>
        <source>Connect again</source>
        <translation>重新连接</translation>
    </message>
    <message>
        <source>Give it up</source>
        <translation>放弃</translation>
    </message>
    <message>
        <source>Give {name} up; its projects stay here as private copies</source>
        <translation>放弃 {name}；其项目作为私有副本留在此处</translation>
    </message>
    <message>
        <source>Create another workspace…</source>
        <translation>创建另一个工作区…</translation>
    </message>
    <message>
        <source>Join another workspace…</source>
        <translation>加入另一个工作区…</translation>
    </message>
    <message>
        <source>Work in the same projects with others, or on several computers of yours. Every computer keeps everything and works offline; a PostgreSQL database of yours carries the changes, and no server of ours is involved.</source>
        <translation>与他人或在你自己的多台计算机上处理相同的项目。每台计算机都保留全部内容并可离线使用；更改由你自己的 PostgreSQL 数据库传送，不经过我们的任何服务器。</translation>
    </message>
    <message>
        <source>For a team that has none: sets up an empty database that you give, and makes you its owner.</source>
        <translation>用于还没有工作区的团队：设置你提供的空数据库，并使你成为其所有者。</translation>
    </message>
    <message>
        <source>Create a workspace…</source>
        <translation>创建工作区…</translation>
    </message>
    <message>
        <source>With an invitation: a code, a link or a file that somebody of the team, or another computer of yours, made. Nothing is sent before you have seen what it is.</source>
        <translation>使用邀请：由团队中的某人或你的另一台计算机创建的代码、链接或文件。在你看到它是什么之前不会发送任何内容。</translation>
    </message>
    <message>
        <source>Enter the password…</source>
        <translation>输入密码…</translation>
    </message>
    <message>
        <source>Details of syncing with {name}</source>
        <translation>与 {name} 同步的详情</translation>
    </message>
    <message>
        <source>{address}, joined {day}</source>
        <translation>{address}，加入于 {day}</translation>
    </message>
    <message>
        <source>Shared projects</source>
        <translation>共享项目</translation>
    </message>
    <message>
        <source>Role and state</source>
        <translation>角色和状态</translation>
    </message>
    <message>
        <source>Sharing…</source>
        <translation>共享设置…</translation>
    </message>
    <message>
        <source>None yet. Open a project and choose Share… in its menu; only what you share leaves this computer.</source>
        <translation>还没有。请打开一个项目并在其菜单中选择“共享…”；只有你共享的内容才会离开此计算机。</translation>
    </message>
    <message>
        <source>Members</source>
        <translation>成员</translation>
    </message>
    <message>
        <source>Devices</source>
        <translation>设备</translation>
    </message>
    <message>
        <source>Computer</source>
        <translation>计算机</translation>
    </message>
    <message>
        <source>About</source>
        <translation>说明</translation>
    </message>
    <message>
        <source>somebody</source>
        <translation>某人</translation>
    </message>
    <message>
        <source>Add a computer of mine…</source>
        <translation>添加我的计算机…</translation>
    </message>
    <message>
        <source>Address…</source>
        <translation>地址…</translation>
    </message>
    <message>
        <source>Address of the server of {name}</source>
        <translation>{name} 的服务器地址</translation>
    </message>
    <message>
        <source>Leave…</source>
        <translation>离开…</translation>
    </message>
    <message>
        <source>Invite somebody to {name}</source>
        <translation>邀请他人加入 {name}</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>重命名…</translation>
    </message>
    <message>
        <source>That computer can no longer sync under this name; what is on it stays there. If it was lost, also make a new password under My name, and add your other computers again.</source>
        <translation>那台计算机不能再以此名称同步；其上的内容保留在那里。如果它已丢失，还请在“我的名称”下创建新密码，并重新添加你的其他计算机。</translation>
    </message>
    <message>
        <source>A project that is not here yet</source>
        <translation>尚未到达此处的项目</translation>
    </message>
    <message>
        <source>Share…</source>
        <translation>共享…</translation>
    </message>
    <message>
        <source>Keep messages</source>
        <translation>保留消息</translation>
    </message>
    <message>
        <source>Older messages are erased for everybody, about once a day; that cannot be undone.</source>
        <translation>较旧的消息会为所有人抹除，大约每天一次；此操作无法撤销。</translation>
    </message>
    <message>
        <source>Days for which messages are kept</source>
        <translation>消息保留天数</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Set how long messages are kept</source>
        <translation>设置消息保留时间</translation>
    </message>
    <message>
        <source>Other…</source>
        <translation>其他…</translation>
    </message>
    <message>
        <source>For ever</source>
        <translation>永久</translation>
    </message>
    <message numerus="yes">
        <source>For {count} days</source>
        <comment>For {count} day</comment>
        <translation>
            <numerusform>{count} 天</numerusform>
        </translation>
    </message>
    <message>
        <source>Messages are kept for ever.</source>
        <translation>消息永久保留。</translation>
    </message>
    <message numerus="yes">
        <source>Messages are kept for {count} days.</source>
        <comment>Messages are kept for {count} day.</comment>
        <translation>
            <numerusform>消息保留 {count} 天。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Messages that are older than {count} days are erased for everybody, now and from now on: from the server, and from each computer when it syncs next. This cannot be undone. Backups, private copies and what somebody copied elsewhere keep them.</source>
        <comment>Messages that are older than {count} day are erased for everybody, now and from now on: from the server, and from each computer when it syncs next. This cannot be undone. Backups, private copies and what somebody copied elsewhere keep them.</comment>
        <translation>
            <numerusform>早于 {count} 天的消息从现在起会为所有人抹除：从服务器抹除，并在下次同步时从每台计算机抹除。此操作无法撤销。备份、私有副本以及他人复制到别处的内容仍会保留。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Keep messages of “{name}” for {count} days only?</source>
        <comment>Keep messages of “{name}” for {count} day only?</comment>
        <translation>
            <numerusform>“{name}”的消息只保留 {count} 天吗？</numerusform>
        </translation>
    </message>
    <message>
        <source>Erase what is older</source>
        <translation>抹除较旧的内容</translation>
    </message>
    <message>
        <source>No access</source>
        <translation>无访问权</translation>
    </message>
    <message>
        <source>{role}: {rights}.</source>
        <translation>{role}：{rights}。</translation>
    </message>
    <message>
        <source>Role</source>
        <translation>角色</translation>
    </message>
    <message>
        <source>{what} and role</source>
        <translation>{what}和角色</translation>
    </message>
    <message>
        <source>Where “{workspace}” is reached</source>
        <translation>“{workspace}”的访问位置</translation>
    </message>
    <message>
        <source>For a server that moved, or has another name now. ChatDesk first checks that this workspace is there. Your login stays; your other computers and the other members move for themselves.</source>
        <translation>用于已迁移或已改名的服务器。ChatDesk 会先检查此工作区是否在那里。你的登录名保留；你的其他计算机和其他成员自行迁移。</translation>
    </message>
    <message>
        <source>Use this address</source>
        <translation>使用此地址</translation>
    </message>
    <message>
        <source>Looking for the workspace…</source>
        <translation>正在查找工作区…</translation>
    </message>
    <message>
        <source>Viewer</source>
        <translation>查看者</translation>
    </message>
    <message>
        <source>Editor</source>
        <translation>编辑者</translation>
    </message>
    <message>
        <source>Admin</source>
        <translation>管理员</translation>
    </message>
    <message>
        <source>Owner</source>
        <translation>所有者</translation>
    </message>
    <message>
        <source>reads</source>
        <translation>读取</translation>
    </message>
    <message>
        <source>reads and writes, changes and deletes their own</source>
        <translation>读取和写入，更改和删除自己的内容</translation>
    </message>
    <message>
        <source>changes and deletes everything, and manages members</source>
        <translation>更改和删除所有内容，并管理成员</translation>
    </message>
    <message>
        <source>does everything, and may end the sharing for everybody</source>
        <translation>可做任何事，并可为所有人结束共享</translation>
    </message>
    <message>
        <source>Only projects that you share leave this computer: their threads, messages, attachments and summaries. Keys, drafts, pins, the prompt library and everything else stay here.</source>
        <translation>只有你共享的项目会离开此计算机：其对话、消息、附件和摘要。密钥、草稿、固定状态、提示词库及其他所有内容都留在此处。</translation>
    </message>
    <message>
        <source>What others have read, copied or exported, and private copies of those who leave. Threads and messages can be erased for everyone later, on the server and on each computer when it syncs; backups keep them until they are replaced. Stopping to share removes nothing from the server unless you choose to erase the project.</source>
        <translation>他人已读取、复制或导出的内容，以及离开者的私有副本。之后可在服务器上并在每台计算机同步时为所有人抹除对话和消息；备份会保留它们直到被替换。停止共享不会从服务器移除任何内容，除非你选择抹除项目。</translation>
    </message>
    <message>
        <source>This version of ChatDesk brings a newer form of the team&apos;s database. Everyone can go on working with the present one until you upgrade it: &apos;chatdesk team upgrade&apos;.</source>
        <translation>此版本的 ChatDesk 带来了新版的团队数据库结构。在你升级之前，所有人都可以继续使用当前版本：“chatdesk team upgrade”。</translation>
    </message>
    <message>
        <source>Anyone who administers the database can read all that is shared, whatever roles people have.</source>
        <translation>管理数据库的人可以读取所有共享内容，无论各人的角色如何。</translation>
    </message>
    <message>
        <source>Shared with you again; choose Share… to send this copy</source>
        <translation>已重新与你共享；选择“共享…”即可发送此副本</translation>
    </message>
    <message>
        <source>being sent</source>
        <translation>正在发送</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes refused</source>
        <comment>{count} change refused</comment>
        <translation>
            <numerusform>{count} 项更改被拒绝</numerusform>
        </translation>
    </message>
    <message>
        <source>not in sync: what the server has does not fit</source>
        <translation>未同步：服务器上的内容不符</translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments ({size})</source>
        <comment>{count} attachment ({size})</comment>
        <translation>
            <numerusform>{count} 个附件（{size}）</numerusform>
        </translation>
    </message>
    <message>
        <source>{parts} are sent now; what is written later is sent by itself.</source>
        <translation>现在发送：{parts}。之后写的内容会自动发送。</translation>
    </message>
    <message>
        <source>Removed; what they wrote stays</source>
        <translation>已移除；其所写内容保留</translation>
    </message>
    <message>
        <source>you</source>
        <comment>beside a name</comment>
        <translation>你</translation>
    </message>
    <message numerus="yes">
        <source>{count} connections of {name} were ended. The server dropped what was unfinished; their computer sends it again.</source>
        <comment>{count} connection of {name} was ended. The server dropped what was unfinished; their computer sends it again.</comment>
        <translation>
            <numerusform>已结束 {name} 的 {count} 个连接。服务器放弃了未完成的内容；对方的计算机会重新发送。</numerusform>
        </translation>
    </message>
    <message>
        <source>you</source>
        <translation>你</translation>
    </message>
    <message>
        <source>owner of the workspace</source>
        <translation>工作区的所有者</translation>
    </message>
    <message>
        <source>invited, has not joined yet</source>
        <translation>已邀请，尚未加入</translation>
    </message>
    <message>
        <source>invited on {day}, has not joined yet</source>
        <translation>于 {day} 邀请，尚未加入</translation>
    </message>
    <message>
        <source>in no project of yours</source>
        <translation>不在你的任何项目中</translation>
    </message>
    <message>
        <source>this computer</source>
        <translation>此计算机</translation>
    </message>
    <message>
        <source>never connected</source>
        <translation>从未连接</translation>
    </message>
    <message>
        <source>connected now</source>
        <translation>现在已连接</translation>
    </message>
    <message>
        <source>last connected {moment}</source>
        <translation>上次连接：{moment}</translation>
    </message>
    <message>
        <source>Nothing was new.</source>
        <translation>没有新内容。</translation>
    </message>
    <message>
        <source>{sent} sent, {received} received.</source>
        <translation>已发送 {sent}，已接收 {received}。</translation>
    </message>
    <message>
        <source>{database} on {host}</source>
        <translation>{host} 上的 {database}</translation>
    </message>
    <message numerus="yes">
        <source>{count} people {name} invited were removed.</source>
        <comment>{count} person {name} invited was removed.</comment>
        <translation>
            <numerusform>已移除 {name} 邀请的 {count} 人。</numerusform>
        </translation>
    </message>
    <message>
        <source>Everything in it stays on this computer as a private copy.</source>
        <translation>其中的所有内容作为私有副本留在此计算机上。</translation>
    </message>
    <message>
        <source>What you had not sent is in your own project.</source>
        <translation>你尚未发送的内容在你自己的项目中。</translation>
    </message>
    <message>
        <source>shared, you can only read</source>
        <translation>已共享，你只能读取</translation>
    </message>
    <message>
        <source>shared</source>
        <translation>已共享</translation>
    </message>
    <message>
        <source>shared, you manage it</source>
        <translation>已共享，由你管理</translation>
    </message>
    <message>
        <source>shared by you</source>
        <translation>由你共享</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes in this thread were not taken by the team&apos;s server, so only you see them. Press the line below the threads to read why, to copy them out or to try again.</source>
        <comment>{count} change in this thread was not taken by the team&apos;s server, so only you see it. Press the line below the threads to read why, to copy it out or to try again.</comment>
        <translation>
            <numerusform>此对话中有 {count} 项更改未被团队的服务器接受，因此只有你能看到。请按对话下方的一行，查看原因、复制出来或重试。</numerusform>
        </translation>
    </message>
    <message>
        <source>“{name}” is open to you again. Nothing of it was sent, because you wrote in your own copy meanwhile: choose Share… in its menu, and that goes up too.</source>
        <translation>“{name}”再次对你开放。其中没有发送任何内容，因为你在此期间写入了自己的副本：请在其菜单中选择“共享…”，那些内容也会上传。</translation>
    </message>
    <message>
        <source>You are no longer a member of “{workspace}”. Its projects stay on this computer with everything in them, and what you write there now waits here. To come back, ask its owner for a new invitation.</source>
        <translation>你不再是“{workspace}”的成员。其项目连同所有内容留在此计算机上，你现在在那里所写的内容会在此等待。要回来，请向其所有者要求新的邀请。</translation>
    </message>
    <message>
        <source>“{workspace}”: {problem} {next_step} Nothing that you write is lost meanwhile.</source>
        <translation>“{workspace}”：{problem} {next_step} 在此期间你写的内容不会丢失。</translation>
    </message>
    <message>
        <source>You can read this project; ask {name} to let you write.</source>
        <translation>你可以读取此项目；请让 {name} 允许你写入。</translation>
    </message>
    <message>
        <source>You can read this project; ask its owner to let you write.</source>
        <translation>你可以读取此项目；请让其所有者允许你写入。</translation>
    </message>
    <message>
        <source>Another member</source>
        <translation>另一位成员</translation>
    </message>
    <message numerus="yes">
        <source>{first}, {second} and {count} others</source>
        <comment>{first}, {second} and {count} other</comment>
        <translation>
            <numerusform>{first}、{second} 和另外 {count} 位</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{names} wrote {count} messages</source>
        <comment>{names} wrote a message</comment>
        <translation>
            <numerusform>{names} 写了 {count} 条消息</numerusform>
        </translation>
    </message>
    <message>
        <source>A project</source>
        <translation>一个项目</translation>
    </message>
    <message>
        <source>Paused: nothing is read or written in the folder. What you write waits on this computer.</source>
        <translation>已暂停：不会在文件夹中读取或写入任何内容。你所写的内容在此计算机上等待。</translation>
    </message>
    <message>
        <source>This profile was restored, or a copy of it is in use, so it does not exchange anything. All chats are kept. Join again with the recovery phrase, or forget the folder.</source>
        <translation>此配置是恢复而来的，或其副本正在使用，因此不进行任何交换。所有聊天都已保留。请用恢复短语再次加入，或不再使用该文件夹。</translation>
    </message>
    <message>
        <source>Your chats are being written into the folder. Join it on your other computers.</source>
        <translation>正在将你的聊天写入文件夹。请在你的其他计算机上加入。</translation>
    </message>
    <message>
        <source>This computer has joined. What the others have comes in now.</source>
        <translation>此计算机已加入。正在接收其他计算机的内容。</translation>
    </message>
    <message>
        <source>Syncing.</source>
        <translation>正在同步。</translation>
    </message>
    <message>
        <source>Not everything is in the folder yet.</source>
        <translation>尚未将所有内容写入文件夹。</translation>
    </message>
    <message>
        <source>All chats stay here. The folder stays as it is, for your other computers; nobody can read it without the phrase, with which you can join again.</source>
        <translation>所有聊天都留在这里。文件夹为你的其他计算机保持原样；没有短语就无人能读取，凭短语可以再次加入。</translation>
    </message>
    <message>
        <source>Forget the folder?</source>
        <translation>不再使用文件夹吗？</translation>
    </message>
    <message>
        <source>Forget it</source>
        <translation>不再使用</translation>
    </message>
    <message>
        <source>This computer has left {folder}. All chats are kept.</source>
        <translation>此计算机已离开 {folder}。所有聊天都已保留。</translation>
    </message>
    <message>
        <source>Its chats and those of this computer are merged when you join; nothing is lost.</source>
        <translation>加入后，它的聊天会与此计算机的合并；不会丢失任何内容。</translation>
    </message>
    <message>
        <source>The phrase is still shown here.</source>
        <translation>短语仍显示在这里。</translation>
    </message>
    <message>
        <source>Choose another folder, or copy the phrase.</source>
        <translation>请选择其他文件夹，或复制短语。</translation>
    </message>
    <message>
        <source>Saved as {name}. Print it, or keep it where only you can read it.</source>
        <translation>已另存为 {name}。请打印，或保存在只有你能读取的地方。</translation>
    </message>
    <message>
        <source>Go on without them</source>
        <translation>不带它们继续</translation>
    </message>
    <message numerus="yes">
        <source>The text of {count} changes is in the clipboard.</source>
        <comment>The text of {count} change is in the clipboard.</comment>
        <translation>
            <numerusform>{count} 项更改的文字已在剪贴板中。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Forget {count} refused changes?</source>
        <comment>Forget {count} refused change?</comment>
        <translation>
            <numerusform>忘记 {count} 项被拒绝的更改吗？</numerusform>
        </translation>
    </message>
    <message>
        <source>What the server refused is no longer shown and cannot be sent again. Copy the text first if you need it.</source>
        <translation>服务器拒绝的内容不再显示，也不能重新发送。如有需要，请先复制文字。</translation>
    </message>
    <message>
        <source>Sync is off</source>
        <translation>同步已关闭</translation>
    </message>
    <message>
        <source>Sync is off.</source>
        <translation>同步已关闭。</translation>
    </message>
    <message>
        <source>Synced</source>
        <translation>已同步</translation>
    </message>
    <message>
        <source>Synced.</source>
        <translation>已同步。</translation>
    </message>
    <message>
        <source>Syncing…</source>
        <translation>正在同步…</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>正在连接…</translation>
    </message>
    <message>
        <source>Connecting.</source>
        <translation>正在连接。</translation>
    </message>
    <message>
        <source>Offline echo</source>
        <translation>离线回声</translation>
    </message>
    <message>
        <source>the offline model</source>
        <translation>离线模型</translation>
    </message>
    <message>
        <source>The offline model</source>
        <translation>离线模型</translation>
    </message>
    <message>
        <source>Offline</source>
        <translation>离线</translation>
    </message>
    <message>
        <source>The offline model pretends to be busy.</source>
        <translation>离线模型假装繁忙。</translation>
    </message>
    <message>
        <source>Offline: the team&apos;s database cannot be reached.</source>
        <translation>离线：无法访问团队的数据库。</translation>
    </message>
    <message>
        <source>Update ChatDesk to send</source>
        <translation>请更新 ChatDesk 以发送</translation>
    </message>
    <message>
        <source>This ChatDesk is too old to send changes; it still receives those of others.</source>
        <translation>此 ChatDesk 太旧，无法发送更改；它仍会接收他人的更改。</translation>
    </message>
    <message>
        <source>Refused by the team&apos;s server</source>
        <translation>被团队的服务器拒绝</translation>
    </message>
    <message>
        <source>The team&apos;s database did not let this computer in.</source>
        <translation>团队的数据库不允许此计算机接入。</translation>
    </message>
    <message>
        <source>Synced at {moment}.</source>
        <translation>同步于 {moment}。</translation>
    </message>
    <message>
        <source>Syncing {done} of {total}.</source>
        <translation>正在同步 {done}/{total}。</translation>
    </message>
    <message>
        <source>Synced last at {moment}.</source>
        <translation>上次同步于 {moment}。</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes were refused.</source>
        <comment>{count} change was refused.</comment>
        <translation>
            <numerusform>{count} 项更改被拒绝。</numerusform>
        </translation>
    </message>
    <message>
        <source>The next try is at {moment}.</source>
        <translation>下次尝试在 {moment}。</translation>
    </message>
    <message>
        <source>never</source>
        <translation>从未</translation>
    </message>
    <message>
        <source>Syncing {done} of {total}</source>
        <translation>正在同步 {done}/{total}</translation>
    </message>
    <message>
        <source>Synced {time}</source>
        <translation>已同步 {time}</translation>
    </message>
    <message>
        <source>Refused: {problem}</source>
        <translation>被拒绝：{problem}</translation>
    </message>
    <message numerus="yes">
        <source>Sending {count} changes</source>
        <comment>Sending {count} change</comment>
        <translation>
            <numerusform>正在发送 {count} 项更改</numerusform>
        </translation>
    </message>
    <message>
        <source>{words}.</source>
        <translation>{words}。</translation>
    </message>
    <message>
        <source>Change how the project is shared…</source>
        <translation>更改项目的共享方式…</translation>
    </message>
    <message>
        <source>Share project…</source>
        <translation>共享项目…</translation>
    </message>
    <message>
        <source>The others see you as {name} from the next sync on.</source>
        <translation>从下次同步起，他人会看到你的名称为 {name}。</translation>
    </message>
    <message>
        <source>{name} was removed, and can no longer log in.</source>
        <translation>{name} 已被移除，不能再登录。</translation>
    </message>
    <message>
        <source>Remove {name} from the workspace?</source>
        <translation>从工作区移除 {name} 吗？</translation>
    </message>
    <message>
        <source>Removing the member…</source>
        <translation>正在移除成员…</translation>
    </message>
    <message>
        <source>Remove the people {name} invited?</source>
        <translation>移除 {name} 邀请的人吗？</translation>
    </message>
    <message>
        <source>Remove them</source>
        <translation>移除他们</translation>
    </message>
    <message>
        <source>This computer has a new password. Add your other computers again.</source>
        <translation>此计算机有了新密码。请重新添加你的其他计算机。</translation>
    </message>
    <message>
        <source>Make a new password?</source>
        <translation>创建新密码吗？</translation>
    </message>
    <message>
        <source>New password</source>
        <translation>新密码</translation>
    </message>
    <message>
        <source>Changing the password…</source>
        <translation>正在更改密码…</translation>
    </message>
    <message>
        <source>Taking the computer off the list…</source>
        <translation>正在从列表移除计算机…</translation>
    </message>
    <message>
        <source>{name} is off the list.</source>
        <translation>{name} 已从列表移除。</translation>
    </message>
    <message>
        <source>Take {name} off the list?</source>
        <translation>从列表移除 {name} 吗？</translation>
    </message>
    <message>
        <source>Take off</source>
        <translation>从列表移除</translation>
    </message>
    <message>
        <source>The workspace is called “{name}” now.</source>
        <translation>工作区现名为“{name}”。</translation>
    </message>
    <message>
        <source>You left “{name}”. Its projects are private copies now.</source>
        <translation>你已离开“{name}”。其项目现在是私有副本。</translation>
    </message>
    <message>
        <source>You are in “{name}” again.</source>
        <translation>你又回到“{name}”中了。</translation>
    </message>
    <message>
        <source>You left the workspace. Its projects are private copies now.</source>
        <translation>你已离开工作区。其项目现在是私有副本。</translation>
    </message>
    <message>
        <source>This computer is in no workspace.</source>
        <translation>此计算机不在任何工作区中。</translation>
    </message>
    <message>
        <source>Create or join one in Settings, Team sync.</source>
        <translation>请在“设置”的“团队同步”中创建或加入一个。</translation>
    </message>
    <message>
        <source>The file could not be written: {why}.</source>
        <translation>无法写入文件：{why}。</translation>
    </message>
    <message>
        <source>Operation not permitted</source>
        <translation>不允许的操作</translation>
    </message>
    <message>
        <source>No such file or directory</source>
        <translation>没有那个文件或文件夹</translation>
    </message>
    <message>
        <source>Input/output error</source>
        <translation>输入/输出错误</translation>
    </message>
    <message>
        <source>Cannot allocate memory</source>
        <translation>内存不足</translation>
    </message>
    <message>
        <source>Permission denied</source>
        <translation>权限不够</translation>
    </message>
    <message>
        <source>Device or resource busy</source>
        <translation>设备或资源正忙</translation>
    </message>
    <message>
        <source>File exists</source>
        <translation>文件已存在</translation>
    </message>
    <message>
        <source>Not a directory</source>
        <translation>不是文件夹</translation>
    </message>
    <message>
        <source>Is a directory</source>
        <translation>是文件夹</translation>
    </message>
    <message>
        <source>Invalid argument</source>
        <translation>参数无效</translation>
    </message>
    <message>
        <source>Too many open files</source>
        <translation>打开的文件过多</translation>
    </message>
    <message>
        <source>File too large</source>
        <translation>文件过大</translation>
    </message>
    <message>
        <source>No space left on device</source>
        <translation>设备上没有空间</translation>
    </message>
    <message>
        <source>Read-only file system</source>
        <translation>文件系统只读</translation>
    </message>
    <message>
        <source>Broken pipe</source>
        <translation>管道已断开</translation>
    </message>
    <message>
        <source>File name too long</source>
        <translation>文件名过长</translation>
    </message>
    <message>
        <source>Directory not empty</source>
        <translation>文件夹非空</translation>
    </message>
    <message>
        <source>Too many levels of symbolic links</source>
        <translation>符号链接层数过多</translation>
    </message>
    <message>
        <source>Disk quota exceeded</source>
        <translation>超出磁盘配额</translation>
    </message>
    <message>
        <source>Address already in use</source>
        <translation>地址已被占用</translation>
    </message>
    <message>
        <source>Cannot assign requested address</source>
        <translation>无法分配地址</translation>
    </message>
    <message>
        <source>Network is unreachable</source>
        <translation>网络不可达</translation>
    </message>
    <message>
        <source>No route to host</source>
        <translation>没有到主机的路由</translation>
    </message>
    <message>
        <source>Connection refused</source>
        <translation>连接被拒绝</translation>
    </message>
    <message>
        <source>Connection reset by peer</source>
        <translation>连接被对方重置</translation>
    </message>
    <message>
        <source>Connection timed out</source>
        <translation>连接超时</translation>
    </message>
    <message>
        <source>the system refused</source>
        <translation>系统拒绝了</translation>
    </message>
    <message>
        <source>The code is still shown here.</source>
        <translation>代码仍显示在此处。</translation>
    </message>
    <message>
        <source>Choose another folder, or copy the code.</source>
        <translation>请选择另一个文件夹，或复制代码。</translation>
    </message>
    <message>
        <source>The workspace “{name}” is ready.</source>
        <translation>工作区“{name}”已就绪。</translation>
    </message>
    <message>
        <source>You are in “{name}”.</source>
        <translation>你在“{name}”中。</translation>
    </message>
    <message>
        <source>{name} cannot be read as an invitation.</source>
        <translation>{name} 无法作为邀请读取。</translation>
    </message>
    <message>
        <source>Ask for the code as text.</source>
        <translation>请要求以文字形式提供代码。</translation>
    </message>
    <message>
        <source>You are in “{name}” as {member}. What is shared with you comes in now.</source>
        <translation>你以 {member} 的身份在“{name}”中。与你共享的内容正在到来。</translation>
    </message>
    <message>
        <source>Opening the file of keys…</source>
        <translation>正在打开密钥文件…</translation>
    </message>
    <message>
        <source>“{name}” and {more} more of “{workspace}” have arrived.</source>
        <translation>“{workspace}”中的“{name}”和另外 {more} 个已到达。</translation>
    </message>
    <message>
        <source>“{name}” of “{workspace}” has arrived.</source>
        <translation>“{workspace}”中的“{name}”已到达。</translation>
    </message>
    <message>
        <source>This computer now uses {address} for “{name}”.</source>
        <translation>此计算机现在对“{name}”使用 {address}。</translation>
    </message>
    <message>
        <source>To share a project, create a workspace or join one first.</source>
        <translation>要共享项目，请先创建或加入工作区。</translation>
    </message>
    <message>
        <source>“{name}” is shared. The line below the threads shows how much has been sent.</source>
        <translation>“{name}”已共享。对话列表下方的一行显示已发送多少。</translation>
    </message>
    <message>
        <source>That project is no longer shared.</source>
        <translation>该项目已不再共享。</translation>
    </message>
    <message>
        <source>“{name}” is a private project on this computer now.</source>
        <translation>“{name}”现在是此计算机上的私有项目。</translation>
    </message>
    <message>
        <source>Try again in a while.</source>
        <translation>请过一会儿重试。</translation>
    </message>
    <message>
        <source>This is nested too deeply.</source>
        <translation>嵌套太深。</translation>
    </message>
    <message>
        <source>This is not valid JSON in line {number}.</source>
        <translation>第 {number} 行不是有效的 JSON。</translation>
    </message>
    <message>
        <source>This is not valid JSON.</source>
        <translation>这不是有效的 JSON。</translation>
    </message>
    <message>
        <source>Arguments are a JSON object: { … }.</source>
        <translation>参数是一个 JSON 对象：{ … }。</translation>
    </message>
    <message>
        <source>1 of {count}</source>
        <translation>1/{count}</translation>
    </message>
    <message>
        <source>Review proposed changes</source>
        <translation>查看更改建议</translation>
    </message>
    <message>
        <source>Review the proposed change</source>
        <translation>查看更改建议</translation>
    </message>
    <message>
        <source>File</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>Reject</source>
        <translation>拒绝</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>应用</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines added, {removed} removed</source>
        <comment>{count} line added, {removed} removed</comment>
        <translation>
            <numerusform>新增 {count} 行，删除 {removed} 行</numerusform>
        </translation>
    </message>
    <message>
        <source>This text has characters that hide, so it is edited in an editor.</source>
        <translation>此文本含有隐藏字符，因此需在编辑器中编辑。</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>差异</translation>
    </message>
    <message>
        <source>Applied: {path}</source>
        <translation>已应用：{path}</translation>
    </message>
    <message>
        <source>Rejected: {path}</source>
        <translation>已拒绝：{path}</translation>
    </message>
    <message>
        <source>Undone: {path}</source>
        <translation>已撤销：{path}</translation>
    </message>
    <message>
        <source>change a file</source>
        <translation>更改文件</translation>
    </message>
    <message>
        <source>This change was not proposed on this computer.</source>
        <translation>此更改不是在此计算机上建议的。</translation>
    </message>
    <message>
        <source>This change is not applied.</source>
        <translation>此更改未应用。</translation>
    </message>
    <message>
        <source>This change is already applied.</source>
        <translation>此更改已应用。</translation>
    </message>
    <message>
        <source>This change was rejected.</source>
        <translation>此更改已被拒绝。</translation>
    </message>
    <message>
        <source>The file is no longer the one that this change was made from.</source>
        <translation>该文件已不是此更改所依据的文件。</translation>
    </message>
    <message>
        <source>The file was changed after this change was applied.</source>
        <translation>应用此更改之后，该文件又被更改。</translation>
    </message>
    <message>
        <source>The project has no folder on this computer, or another one by now.</source>
        <translation>该项目在此计算机上没有文件夹，或现在是另一个文件夹。</translation>
    </message>
    <message>
        <source>This change was not proposed on this computer, or too long ago.</source>
        <translation>此更改不是在此计算机上提出的，或提出的时间太久。</translation>
    </message>
    <message>
        <source>Name a file.</source>
        <translation>请指定一个文件。</translation>
    </message>
    <message>
        <source>This change is too large to review, or has lines that are too long.</source>
        <translation>此更改太大，无法审阅，或有过长的行。</translation>
    </message>
    <message>
        <source>Propose it in smaller steps.</source>
        <translation>请分成更小的步骤提出。</translation>
    </message>
    <message>
        <source>The change could not be kept: {reason}.</source>
        <translation>无法保留该更改：{reason}。</translation>
    </message>
    <message>
        <source>No file was changed.</source>
        <translation>未更改任何文件。</translation>
    </message>
    <message>
        <source>The file has this text already.</source>
        <translation>文件中已经是这段文本。</translation>
    </message>
    <message>
        <source>The files that are kept of this change cannot be read or written.</source>
        <translation>为此更改保留的文件无法读取或写入。</translation>
    </message>
    <message>
        <source>Ask the model to propose it again.</source>
        <translation>请让模型重新提出。</translation>
    </message>
    <message>
        <source>Ask the model to propose it here.</source>
        <translation>请让模型在这里提出建议。</translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers</source>
        <comment>{count} tool server</comment>
        <translation>
            <numerusform>{count} 个工具服务器</numerusform>
        </translation>
    </message>
    <message>
        <source>Tools in this thread: {names}</source>
        <translation>此对话中的工具：{names}</translation>
    </message>
    <message>
        <source>Folder: {folder}</source>
        <translation>文件夹：{folder}</translation>
    </message>
    <message>
        <source>As in the project</source>
        <translation>与项目相同</translation>
    </message>
    <message>
        <source>Use these in the whole project</source>
        <translation>在整个项目中使用这些</translation>
    </message>
    <message>
        <source>Tool servers…</source>
        <translation>工具服务器…</translation>
    </message>
    <message>
        <source>{name} of {server} waits for your approval: Ctrl+Shift+Y.</source>
        <translation>{server} 的 {name} 等待你的批准：Ctrl+Shift+Y。</translation>
    </message>
    <message>
        <source>{name} waits for your approval in another thread.</source>
        <translation>{name} 在另一个对话中等待你的批准。</translation>
    </message>
    <message>
        <source>Allow in this project</source>
        <translation>在此项目中允许</translation>
    </message>
    <message>
        <source>Always allow</source>
        <translation>始终允许</translation>
    </message>
    <message>
        <source>Allow in this thread</source>
        <translation>在此对话中允许</translation>
    </message>
    <message>
        <source>Allow in this thread, it only reads</source>
        <translation>在此对话中允许，它只读取</translation>
    </message>
    <message>
        <source>Allow in this project, it only reads</source>
        <translation>在此项目中允许，它只读取</translation>
    </message>
    <message>
        <source>Always allow, it only reads</source>
        <translation>始终允许，它只读取</translation>
    </message>
    <message>
        <source>Deny</source>
        <translation>拒绝</translation>
    </message>
    <message>
        <source>Allow once</source>
        <translation>允许一次</translation>
    </message>
    <message>
        <source>Allow for longer…</source>
        <translation>允许更长时间…</translation>
    </message>
    <message>
        <source>You say that it changes and sends nothing, so it also runs after text from outside.</source>
        <translation>你声明它不更改也不发送任何内容，因此在有外来文字之后它也会运行。</translation>
    </message>
    <message>
        <source>Run “{name}” of {server}?</source>
        <translation>运行 {server} 的“{name}”吗？</translation>
    </message>
    <message>
        <source>{what}?</source>
        <translation>{what}？</translation>
    </message>
    <message>
        <source>Arguments of {name}</source>
        <translation>{name} 的参数</translation>
    </message>
    <message numerus="yes">
        <source>{count} more characters are not shown, but would be sent.</source>
        <comment>{count} more character is not shown, but would be sent.</comment>
        <translation>
            <numerusform>还有 {count} 个字符未显示，但会发送。</numerusform>
        </translation>
    </message>
    <message>
        <source>Deny: {name} of {server}</source>
        <translation>拒绝：{server} 的 {name}</translation>
    </message>
    <message>
        <source>Allow once: {name} of {server}</source>
        <translation>允许一次：{server} 的 {name}</translation>
    </message>
    <message>
        <source>ChatDesk runs this itself. What it finds goes to the model that answers.</source>
        <translation>ChatDesk 自己运行它。找到的内容会交给回答的模型。</translation>
    </message>
    <message>
        <source>These arguments are sent to {where}</source>
        <translation>这些参数会发送到 {where}</translation>
    </message>
    <message>
        <source>These arguments are given to a program on this computer: {where}</source>
        <translation>这些参数会交给此计算机上的程序：{where}</translation>
    </message>
    <message>
        <source>{server} asks you for something: Ctrl+Shift+Y.</source>
        <translation>{server} 向你请求某项内容：Ctrl+Shift+Y。</translation>
    </message>
    <message>
        <source>{server} asks you for something in another thread.</source>
        <translation>{server} 在另一个对话中向你请求某项内容。</translation>
    </message>
    <message>
        <source>User</source>
        <comment>role</comment>
        <translation>用户</translation>
    </message>
    <message>
        <source>Decline</source>
        <translation>谢绝</translation>
    </message>
    <message>
        <source>{server} asks you for something</source>
        <translation>{server} 向你请求某项内容</translation>
    </message>
    <message>
        <source>{server} wants you to open a page</source>
        <translation>{server} 想让你打开一个页面</translation>
    </message>
    <message>
        <source>Open in browser</source>
        <translation>在浏览器中打开</translation>
    </message>
    <message>
        <source>{server} wants to ask {model}</source>
        <translation>{server} 想询问 {model}</translation>
    </message>
    <message>
        <source>The whole question</source>
        <translation>完整问题</translation>
    </message>
    <message numerus="yes">
        <source>{names} look like secrets. {server} gets what you enter, as you enter it.</source>
        <comment>{names} looks like a secret. {server} gets what you enter, as you enter it.</comment>
        <translation>
            <numerusform>{names} 看起来像机密。{server} 会原样得到你输入的内容。</numerusform>
        </translation>
    </message>
    <message>
        <source>The server asks while “{tool}” runs.</source>
        <translation>服务器在“{tool}”运行时提出请求。</translation>
    </message>
    <message>
        <source>The server chose this page: check the address before you enter anything there.</source>
        <translation>此页面由服务器选择：在那里输入任何内容之前请检查地址。</translation>
    </message>
    <message numerus="yes">
        <source>This costs you at most {count} tokens and counts towards your limits.</source>
        <comment>This costs you at most {count} token and counts towards your limits.</comment>
        <translation>
            <numerusform>最多花费你 {count} 个 token，并计入你的限额。</numerusform>
        </translation>
    </message>
    <message>
        <source>The answer is sent to {where}</source>
        <translation>答复会发送到 {where}</translation>
    </message>
    <message>
        <source>The answer is given to a program on this computer: {where}</source>
        <translation>答复会交给此计算机上的程序：{where}</translation>
    </message>
    <message>
        <source>What you enter is sent to {where}</source>
        <translation>你输入的内容会发送到 {where}</translation>
    </message>
    <message>
        <source>What you enter is given to a program on this computer: {where}</source>
        <translation>你输入的内容会交给此计算机上的程序：{where}</translation>
    </message>
    <message>
        <source>None: models only read pages</source>
        <translation>无：模型只读取网页</translation>
    </message>
    <message>
        <source>A server that asks other search engines: yours, or one whose owner lets programs search.</source>
        <translation>向其他搜索引擎查询的服务器：你自己的，或所有者允许程序搜索的。</translation>
    </message>
    <message>
        <source>A service. What is searched for goes there, with your key.</source>
        <translation>一项服务。搜索内容连同你的密钥会发送到那里。</translation>
    </message>
    <message>
        <source>Web search</source>
        <translation>网页搜索</translation>
    </message>
    <message>
        <source>Search engine</source>
        <translation>搜索引擎</translation>
    </message>
    <message>
        <source>Address of SearXNG</source>
        <translation>SearXNG 的地址</translation>
    </message>
    <message>
        <source>{address} or {other}</source>
        <translation>{address} 或 {other}</translation>
    </message>
    <message>
        <source>Test the search engine</source>
        <translation>测试搜索引擎</translation>
    </message>
    <message>
        <source>A key is kept; type another to replace it</source>
        <translation>已保存密钥；输入另一个即可替换</translation>
    </message>
    <message>
        <source>A key is kept. Type another to replace it.</source>
        <translation>已保存密钥。输入另一个即可替换。</translation>
    </message>
    <message>
        <source>Testing…</source>
        <translation>正在测试…</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>正在保存…</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. No search engine is chosen: models can only read pages.</source>
        <translation>随 ChatDesk 附带。未选择搜索引擎：模型只能读取网页。</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. Searches with {engine} at {host}.</source>
        <translation>随 ChatDesk 附带。使用 {host} 上的 {engine} 搜索。</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. Searches with {engine}.</source>
        <translation>随 ChatDesk 附带。使用 {engine} 搜索。</translation>
    </message>
    <message>
        <source>The program gets only these variables, the PATH and the places of your files. Secrets are kept with your keys.</source>
        <translation>程序只会得到这些变量、PATH 和你的文件所在位置。机密与你的密钥一起保存。</translation>
    </message>
    <message>
        <source>Add a tool server</source>
        <translation>添加工具服务器</translation>
    </message>
    <message>
        <source>Edit the tool server</source>
        <translation>编辑工具服务器</translation>
    </message>
    <message>
        <source>For example: Notes</source>
        <translation>例如：笔记</translation>
    </message>
    <message>
        <source>Command or address</source>
        <translation>命令或地址</translation>
    </message>
    <message>
        <source>Variables or headers</source>
        <translation>变量或标头</translation>
    </message>
    <message>
        <source>Folder it runs in</source>
        <translation>运行所在的文件夹</translation>
    </message>
    <message>
        <source>An empty folder of its own</source>
        <translation>它自己的空文件夹</translation>
    </message>
    <message>
        <source>Client ID</source>
        <translation>客户端 ID</translation>
    </message>
    <message>
        <source>Empty: ChatDesk registers itself</source>
        <translation>留空：ChatDesk 自行注册</translation>
    </message>
    <message>
        <source>Client secret</source>
        <translation>客户端机密</translation>
    </message>
    <message>
        <source>Empty: none</source>
        <translation>留空：无</translation>
    </message>
    <message>
        <source>Unchanged</source>
        <translation>未更改</translation>
    </message>
    <message>
        <source>You can also paste the JSON of Claude Desktop, Cursor, VS Code or LM Studio here.</source>
        <translation>也可以在这里粘贴 Claude Desktop、Cursor、VS Code 或 LM Studio 的 JSON。</translation>
    </message>
    <message>
        <source>Variables, or headers of an address, a line each</source>
        <translation>变量或地址的标头，每行一个</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>文件夹</translation>
    </message>
    <message>
        <source>File of the project</source>
        <translation>项目的文件</translation>
    </message>
    <message>
        <source>Client ID, if you registered one to sign in with</source>
        <translation>客户端 ID（如果你为登录注册了一个）</translation>
    </message>
    <message>
        <source>Filled in from the description of “{name}”.</source>
        <translation>已根据“{name}”的描述填写。</translation>
    </message>
    <message>
        <source>Still to be filled in: {missing}.</source>
        <translation>仍待填写：{missing}。</translation>
    </message>
    <message numerus="yes">
        <source>Once it is saved, {count} more servers follow.</source>
        <comment>Once it is saved, {count} more server follows.</comment>
        <translation>
            <numerusform>保存后，还有 {count} 个服务器。</numerusform>
        </translation>
    </message>
    <message>
        <source>Give it a name.</source>
        <translation>请为它命名。</translation>
    </message>
    <message>
        <source>Enter the command that starts it, or its address.</source>
        <translation>请输入启动它的命令，或其地址。</translation>
    </message>
    <message>
        <source>A quotation mark of the command is not closed.</source>
        <translation>命令中有引号未闭合。</translation>
    </message>
    <message>
        <source>Write each line as NAME=value, not “{line}”.</source>
        <translation>每行请写成 NAME=value，而不是“{line}”。</translation>
    </message>
    <message>
        <source>{name} asks you to sign in: Ctrl+Shift+Y.</source>
        <translation>{name} 要求你登录：Ctrl+Shift+Y。</translation>
    </message>
    <message>
        <source>Asking where to sign in…</source>
        <translation>正在询问登录位置…</translation>
    </message>
    <message>
        <source>Signed in. Ask again to use its tools.</source>
        <translation>已登录。请重新提问以使用其工具。</translation>
    </message>
    <message>
        <source>Sign in…</source>
        <translation>登录…</translation>
    </message>
    <message>
        <source>{name} asks you to sign in</source>
        <translation>{name} 要求你登录</translation>
    </message>
    <message>
        <source>The tools of {address} are left out until you have signed in.</source>
        <translation>在你登录之前，{address} 的工具会被略去。</translation>
    </message>
    <message>
        <source>Sign in at {host} in your browser, within five minutes.</source>
        <translation>请在五分钟内于浏览器中登录 {host}。</translation>
    </message>
    <message>
        <source>Signed out here. The server was not told, or cannot withdraw a sign-in: end it in your account there.</source>
        <translation>已在此处退出登录。未通知服务器，或服务器无法撤回登录：请在那里的账户中结束它。</translation>
    </message>
    <message>
        <source>Signing out…</source>
        <translation>正在退出登录…</translation>
    </message>
    <message>
        <source>It did not ask you to sign in.</source>
        <translation>它没有要求你登录。</translation>
    </message>
    <message>
        <source>Remove {name}?</source>
        <translation>移除 {name} 吗？</translation>
    </message>
    <message>
        <source>Its tools are gone from all threads, with its secrets and what you allowed. Threads keep what it answered.</source>
        <translation>它的工具会从所有对话中消失，连同其机密和你的许可。对话保留它的答复。</translation>
    </message>
    <message>
        <source>What models can use to read files, search and act. Nothing runs before you allow it.</source>
        <translation>模型可用来读取文件、搜索和执行操作的工具。在你允许之前不会运行任何内容。</translation>
    </message>
    <message>
        <source>No other server is set up.</source>
        <translation>没有设置其他服务器。</translation>
    </message>
    <message>
        <source>ChatDesk asks about every call.</source>
        <translation>ChatDesk 每次调用都会询问。</translation>
    </message>
    <message>
        <source>Found</source>
        <translation>已找到</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>已启动</translation>
    </message>
    <message>
        <source>Speaks the protocol</source>
        <translation>支持该协议</translation>
    </message>
    <message>
        <source>Lists its tools</source>
        <translation>列出其工具</translation>
    </message>
    <message>
        <source>in one project</source>
        <translation>在一个项目中</translation>
    </message>
    <message>
        <source>see and change what ChatDesk remembers</source>
        <translation>查看和更改 ChatDesk 记住的内容</translation>
    </message>
    <message>
        <source>list the facts that are remembered</source>
        <translation>列出已记住的内容</translation>
    </message>
    <message>
        <source>remember a fact</source>
        <translation>记住一件事</translation>
    </message>
    <message>
        <source>change the words of a memory</source>
        <translation>更改记忆的文字</translation>
    </message>
    <message>
        <source>delete memories for good</source>
        <translation>永久删除记忆</translation>
    </message>
    <message>
        <source>write all memories to a JSON file</source>
        <translation>将所有记忆写入 JSON 文件</translation>
    </message>
    <message>
        <source>its id, as listed</source>
        <translation>列出的 ID</translation>
    </message>
    <message>
        <source>one sentence</source>
        <translation>一句话</translation>
    </message>
    <message>
        <source>only for this project, by its name or id</source>
        <translation>仅用于此项目，用其名称或 ID 指定</translation>
    </message>
    <message>
        <source>ids, as listed</source>
        <translation>列出的 ID，可多个</translation>
    </message>
    <message>
        <source>all memories</source>
        <translation>所有记忆</translation>
    </message>
    <message>
        <source>the file to write</source>
        <translation>要写入的文件</translation>
    </message>
    <message>
        <source>Name the memories to delete, or --all.</source>
        <translation>请指定要删除的记忆，或使用 --all。</translation>
    </message>
    <message>
        <source>Change the memories in its window, or close it first.</source>
        <translation>请在其窗口中更改记忆，或先关闭窗口。</translation>
    </message>
    <message>
        <source>everywhere</source>
        <translation>在所有地方</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent.</source>
        <translation>记忆已关闭：不会保留或发送任何内容。</translation>
    </message>
    <message>
        <source>This was remembered already.</source>
        <translation>这早已记住。</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories deleted</source>
        <comment>{count} memory deleted</comment>
        <translation>
            <numerusform>已删除 {count} 条记忆</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} memories written</source>
        <comment>{count} memory written</comment>
        <translation>
            <numerusform>已写入 {count} 条记忆</numerusform>
        </translation>
    </message>
    <message>
        <source>in one project, also after text from outside</source>
        <translation>在一个项目中，包括有外来文字之后</translation>
    </message>
    <message>
        <source>everywhere, also after text from outside</source>
        <translation>在所有地方，包括有外来文字之后</translation>
    </message>
    <message>
        <source>Add server…</source>
        <translation>添加服务器…</translation>
    </message>
    <message>
        <source>Allowed without asking</source>
        <translation>无需询问即允许</translation>
    </message>
    <message>
        <source>{tool} of {server}</source>
        <translation>{server} 的 {tool}</translation>
    </message>
    <message>
        <source>{scope} · since {when}</source>
        <translation>{scope} · 自 {when}</translation>
    </message>
    <message>
        <source>Ask again</source>
        <translation>重新询问</translation>
    </message>
    <message>
        <source>Models can look things up in your earlier threads.</source>
        <translation>模型可以查阅你以前的对话。</translation>
    </message>
    <message>
        <source>Ask again about {title}</source>
        <translation>重新询问 {title}</translation>
    </message>
    <message>
        <source>Search engine…</source>
        <translation>搜索引擎…</translation>
    </message>
    <message>
        <source>It wrote: {tail}</source>
        <translation>它写道：{tail}</translation>
    </message>
    <message>
        <source>Models can read the files of a project&apos;s folder, and propose changes to them.</source>
        <translation>模型可以读取项目文件夹中的文件，并提出更改建议。</translation>
    </message>
    <message>
        <source>in one thread</source>
        <translation>在一个对话中</translation>
    </message>
    <message>
        <source>in one thread, also after text from outside</source>
        <translation>在一个对话中，包括有外来文字之后</translation>
    </message>
    <message>
        <source>May ask your model for an answer, if you agree each time</source>
        <translation>经你每次同意后，可请求你的模型作答</translation>
    </message>
    <message>
        <source>Sign out</source>
        <translation>退出登录</translation>
    </message>
    <message>
        <source>Sign out of {name}</source>
        <translation>退出登录 {name}</translation>
    </message>
    <message>
        <source>Sign in to {name}</source>
        <translation>登录 {name}</translation>
    </message>
    <message>
        <source>Test {name}</source>
        <translation>测试 {name}</translation>
    </message>
    <message>
        <source>Edit {name}</source>
        <translation>编辑 {name}</translation>
    </message>
    <message>
        <source>Choose the search engine</source>
        <translation>选择搜索引擎</translation>
    </message>
    <message numerus="yes">
        <source>{count} tools</source>
        <comment>{count} tool</comment>
        <translation>
            <numerusform>{count} 个工具</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Running, {count} tools</source>
        <comment>Running, {count} tool</comment>
        <translation>
            <numerusform>运行中，{count} 个工具</numerusform>
        </translation>
    </message>
    <message>
        <source>It failed.</source>
        <translation>它失败了。</translation>
    </message>
    <message>
        <source>Starts when it is needed</source>
        <translation>需要时启动</translation>
    </message>
    <message>
        <source>Markdown (*.md)</source>
        <translation>Markdown (*.md)</translation>
    </message>
    <message>
        <source>Web page (*.html)</source>
        <translation>网页 (*.html)</translation>
    </message>
    <message>
        <source>PDF (*.pdf)</source>
        <translation>PDF (*.pdf)</translation>
    </message>
    <message>
        <source>ChatDesk&apos;s JSON with attachments (*.zip);;ChatDesk&apos;s JSON (*.json)</source>
        <translation>ChatDesk 的 JSON（含附件） (*.zip);;ChatDesk 的 JSON (*.json)</translation>
    </message>
    <message>
        <source>The project</source>
        <translation>该项目</translation>
    </message>
    <message numerus="yes">
        <source>These {count} threads</source>
        <comment>This thread</comment>
        <translation>
            <numerusform>这 {count} 个对话</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The thread has {count} messages, too many for the clipboard. Export it instead.</source>
        <comment>The thread has {count} message, too many for the clipboard. Export it instead.</comment>
        <translation>
            <numerusform>对话有 {count} 条消息，对剪贴板来说太多。请改为导出。</numerusform>
        </translation>
    </message>
    <message>
        <source>The thread is in the clipboard, as Markdown</source>
        <translation>对话已作为 Markdown 放入剪贴板</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>导出</translation>
    </message>
    <message>
        <source>Folder to export into</source>
        <translation>导出到的文件夹</translation>
    </message>
    <message>
        <source>The export was cancelled; nothing was left behind.</source>
        <translation>导出已取消；没有留下任何内容。</translation>
    </message>
    <message>
        <source>Exporting</source>
        <translation>正在导出</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>正在读取…</translation>
    </message>
    <message numerus="yes">
        <source>{done} of {count} messages</source>
        <comment>{done} of {count} message</comment>
        <translation>
            <numerusform>{done}/{count} 条消息</numerusform>
        </translation>
    </message>
    <message>
        <source>For editors and notes. One file a thread, attachments in a folder beside it.</source>
        <translation>用于编辑器和笔记。每个对话一个文件，附件放在旁边的文件夹中。</translation>
    </message>
    <message>
        <source>Web page</source>
        <translation>网页</translation>
    </message>
    <message>
        <source>One file with everything in it, to read and to print.</source>
        <translation>一个包含所有内容的文件，用于阅读和打印。</translation>
    </message>
    <message>
        <source>For paper and for sending on.</source>
        <translation>用于打印和转发。</translation>
    </message>
    <message>
        <source>JSON with attachments (zip)</source>
        <translation>JSON（含附件）(zip)</translation>
    </message>
    <message>
        <source>Everything, other versions too. ChatDesk can import it again.</source>
        <translation>所有内容，包括其他版本。ChatDesk 可以重新导入。</translation>
    </message>
    <message>
        <source>What to export</source>
        <translation>导出内容</translation>
    </message>
    <message>
        <source>Include the trash</source>
        <translation>包括回收站</translation>
    </message>
    <message>
        <source>Choose where…</source>
        <translation>选择位置…</translation>
    </message>
    <message>
        <source>In ChatGPT open Settings, Data controls, and choose Export data. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>请在 ChatGPT 中打开“设置”、“数据管理”，选择“导出数据”。zip 文件的链接会通过电子邮件发来。请在这里直接选择该文件。</translation>
    </message>
    <message>
        <source>In Claude open Settings, Privacy, and choose Export data. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>请在 Claude 中打开“设置”、“隐私”，选择“导出数据”。zip 文件的链接会通过电子邮件发来。请在这里直接选择该文件。</translation>
    </message>
    <message>
        <source>In Google Takeout choose My Activity alone, in it Gemini Apps alone, and JSON as the format. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>请在 Google Takeout 中只选择“我的活动记录”，其中只选“Gemini 应用”，格式选 JSON。zip 文件的链接会通过电子邮件发来。请在这里直接选择该文件。</translation>
    </message>
    <message>
        <source>In Open WebUI open Settings, Chats, and choose Export Chats. It saves a JSON file: choose it here.</source>
        <translation>请在 Open WebUI 中打开“设置”、“对话”，选择“导出对话”。它会保存一个 JSON 文件：请在这里选择它。</translation>
    </message>
    <message>
        <source>In LibreChat open a conversation, choose Export in its menu, and JSON as the format. Choose that file here.</source>
        <translation>请在 LibreChat 中打开一个会话，在其菜单中选择“导出”，格式选 JSON。请在这里选择该文件。</translation>
    </message>
    <message>
        <source>In AnythingLLM open Settings, Admin, Workspace Chats, and choose Export, then JSON. Choose that file here. CSV and JSONL are read as well, with less in them.</source>
        <translation>请在 AnythingLLM 中打开“设置”、“管理员”、“工作区对话”，选择“导出”，再选 JSON。请在这里选择该文件。CSV 和 JSONL 也可读取，但内容较少。</translation>
    </message>
    <message>
        <source>In Chatbox open Settings, General, Data Backup. Tick Chat History and choose Export Selected Data. Choose that file here.</source>
        <translation>请在 Chatbox 中打开“设置”、“常规”、“数据备份”。勾选“聊天记录”并选择“导出勾选数据”。请在这里选择该文件。</translation>
    </message>
    <message>
        <source>In Cherry Studio open Settings, Data Settings. Choose Export to Phone and export to a file; in older versions choose Backup. Choose that zip file here.</source>
        <translation>请在 Cherry Studio 中打开“设置”、“数据设置”。选择“导出至手机”并导出到文件；旧版本请选择“备份”。请在这里选择该 zip 文件。</translation>
    </message>
    <message>
        <source>In Jan open Settings, General, and show the data folder. Choose the folder “threads” in it here.</source>
        <translation>请在 Jan 中打开“设置”、“常规”，并显示数据文件夹。请在这里选择其中的文件夹“threads”。</translation>
    </message>
    <message>
        <source>Choose the folder “conversations” here. It is in the folder “.lmstudio” of your home folder; LM Studio shows it when you choose Reveal in the menu of a chat.</source>
        <translation>请在这里选择文件夹“conversations”。它在主文件夹的“.lmstudio”文件夹中；在 LM Studio 的聊天菜单中选择“Reveal”即可显示。</translation>
    </message>
    <message>
        <source>In the other ChatDesk choose Export… in the menu of a thread, then Everything, and JSON. Choose that zip file here.</source>
        <translation>请在另一个 ChatDesk 的对话菜单中选择“导出…”，再选择“全部”和 JSON。请在这里选择该 zip 文件。</translation>
    </message>
    <message>
        <source>Import or attach?</source>
        <translation>导入还是附加？</translation>
    </message>
    <message>
        <source>“{name}” looks like an export of chats. Import its threads, or attach the file to your message?</source>
        <translation>“{name}”看起来像聊天的导出文件。要导入其对话，还是将文件附加到消息？</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>导入</translation>
    </message>
    <message>
        <source>Attach</source>
        <translation>附加</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>报告</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories are kept</source>
        <comment>{count} memory is kept</comment>
        <translation>
            <numerusform>已保留 {count} 条记忆</numerusform>
        </translation>
    </message>
    <message>
        <source>The report is in the clipboard</source>
        <translation>报告已在剪贴板中</translation>
    </message>
    <message>
        <source>Exports (*.zip *.json *.jsonl *.csv);;All files (*)</source>
        <translation>导出文件 (*.zip *.json *.jsonl *.csv);;所有文件 (*)</translation>
    </message>
    <message>
        <source>One named after the program</source>
        <translation>以来源程序命名的项目</translation>
    </message>
    <message>
        <source>Looking into the file…</source>
        <translation>正在查看文件…</translation>
    </message>
    <message>
        <source>Import a folder</source>
        <translation>导入文件夹</translation>
    </message>
    <message>
        <source>{name} is chosen. Import starts it.</source>
        <translation>已选择 {name}。按“导入”开始。</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>正在停止…</translation>
    </message>
    <message>
        <source>What is here already stays as it is, so a newer export of the same chats can be imported at any time.</source>
        <translation>已有的内容保持原样，因此可以随时导入同一批聊天的较新导出文件。</translation>
    </message>
    <message>
        <source>Import a file…</source>
        <translation>导入文件…</translation>
    </message>
    <message>
        <source>Import a folder…</source>
        <translation>导入文件夹…</translation>
    </message>
    <message>
        <source>Project for the imported threads</source>
        <translation>导入的对话所属项目</translation>
    </message>
    <message>
        <source>Into project</source>
        <translation>导入到项目</translation>
    </message>
    <message>
        <source>Program that the chats come from</source>
        <translation>聊天来源程序</translation>
    </message>
    <message>
        <source>Chats from</source>
        <translation>聊天来自</translation>
    </message>
    <message>
        <source>Open {program}</source>
        <translation>打开 {program}</translation>
    </message>
    <message>
        <source>Progress of the import</source>
        <translation>导入进度</translation>
    </message>
    <message>
        <source>You can go on working: the import does not need this window. What is imported already stays if you stop.</source>
        <translation>可以继续工作：导入不需要此窗口。停止时已导入的内容会保留。</translation>
    </message>
    <message>
        <source>Hide</source>
        <translation>隐藏</translation>
    </message>
    <message>
        <source>Result of each thread</source>
        <translation>每个对话的结果</translation>
    </message>
    <message>
        <source>ChatDesk {version} is available.</source>
        <translation>ChatDesk {version} 已可用。</translation>
    </message>
    <message>
        <source>This is ChatDesk {version}.</source>
        <translation>这是 ChatDesk {version}。</translation>
    </message>
    <message>
        <source>Look now</source>
        <translation>立即查找</translation>
    </message>
    <message>
        <source>Open the page</source>
        <translation>打开页面</translation>
    </message>
    <message>
        <source>ChatDesk {version} is the newest version.</source>
        <translation>ChatDesk {version} 是最新版本。</translation>
    </message>
    <message>
        <source>ChatDesk {new} is available; you have {version}.</source>
        <translation>ChatDesk {new} 已可用；你使用的是 {version}。</translation>
    </message>
    <message>
        <source>Looking for a new version…</source>
        <translation>正在查找新版本…</translation>
    </message>
    <message>
        <source>Tokens a day</source>
        <translation>每天 token 数</translation>
    </message>
    <message>
        <source>Tokens a month</source>
        <translation>每月 token 数</translation>
    </message>
    <message>
        <source>Dollars a day</source>
        <translation>每天美元</translation>
    </message>
    <message>
        <source>Dollars a month</source>
        <translation>每月美元</translation>
    </message>
    <message>
        <source>At the warning you get one note a day, and titles and summaries wait. At the stop nothing more is sent: your question is kept, and you can send it anyway. A model without a price counts as free here. Messages have a rate, such as 20/min or 200/day: further ones wait their turn.</source>
        <translation>达到警告值时，每天提示一次，标题和摘要暂停。达到停止值时不再发送任何内容：问题会保留，你仍可选择发送。没有价格的模型在此按免费计算。消息有速率，例如 20/min 或 200/day：更多消息会排队等待。</translation>
    </message>
    <message>
        <source>Add a limit</source>
        <translation>添加限额</translation>
    </message>
    <message>
        <source>Two rates apply to the same provider or project. Remove one of them.</source>
        <translation>有两个速率适用于同一提供商或项目。请移除其中一个。</translation>
    </message>
    <message>
        <source>Remove limit {number}</source>
        <translation>移除限额 {number}</translation>
    </message>
    <message>
        <source>Warning at</source>
        <translation>警告值</translation>
    </message>
    <message>
        <source>Stop at</source>
        <translation>停止值</translation>
    </message>
    <message>
        <source>At most</source>
        <translation>最多</translation>
    </message>
    <message>
        <source>“{typed}” is not a rate ({where}): {why}.</source>
        <translation>“{typed}”不是速率（{where}）：{why}。</translation>
    </message>
    <message>
        <source>Limit {number}, for</source>
        <translation>限额 {number}，对象</translation>
    </message>
    <message>
        <source>Limit {number}, of</source>
        <translation>限额 {number}，类型</translation>
    </message>
    <message>
        <source>Limit {number}, warning at</source>
        <translation>限额 {number}，警告值</translation>
    </message>
    <message>
        <source>Limit {number}, stop at</source>
        <translation>限额 {number}，停止值</translation>
    </message>
    <message>
        <source>No warning</source>
        <translation>无警告</translation>
    </message>
    <message>
        <source>No stop</source>
        <translation>无停止</translation>
    </message>
    <message>
        <source>“{typed}” is not a number ({where}). Write it as 100000 or 2.50.</source>
        <translation>“{typed}”不是数字（{where}）。请写成 100000 或 2.50。</translation>
    </message>
    <message>
        <source>It is sent when the answer before it is complete.</source>
        <translation>之前的回答完成后发送。</translation>
    </message>
    <message>
        <source>The answer before it was not completed. Go to it to send it now.</source>
        <translation>之前的回答未完成。请转到该问题以立即发送。</translation>
    </message>
    <message>
        <source>You are offline. It is sent when the connection is back.</source>
        <translation>你处于离线状态。恢复连接后发送。</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages wait</source>
        <comment>{count} message waits</comment>
        <translation>
            <numerusform>{count} 条消息等待中</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk usage {first} to {last}.csv</source>
        <translation>ChatDesk 用量 {first} 至 {last}.csv</translation>
    </message>
    <message>
        <source>Export usage</source>
        <translation>导出用量</translation>
    </message>
    <message>
        <source>CSV (*.csv)</source>
        <translation>CSV (*.csv)</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines were written to {name}</source>
        <comment>{count} line was written to {name}</comment>
        <translation>
            <numerusform>已将 {count} 行写入 {name}</numerusform>
        </translation>
    </message>
    <message>
        <source>{amount} used</source>
        <translation>已用 {amount}</translation>
    </message>
    <message>
        <source>It is sent in a moment.</source>
        <translation>马上发送。</translation>
    </message>
    <message>
        <source>Waiting: sends at {clock}, {before} before it.</source>
        <translation>等待中：{clock} 发送，前面还有 {before} 个。</translation>
    </message>
    <message>
        <source>Waiting: sends at {clock}.</source>
        <translation>等待中：{clock} 发送。</translation>
    </message>
    <message>
        <source>Waiting: it is sent automatically, {before} before it.</source>
        <translation>等待中：自动发送，前面还有 {before} 个。</translation>
    </message>
    <message>
        <source>Waiting: it is sent automatically.</source>
        <translation>等待中：自动发送。</translation>
    </message>
    <message>
        <source>{time} on {day}</source>
        <translation>{day} {time}</translation>
    </message>
    <message>
        <source>Waiting to be sent</source>
        <translation>等待发送</translation>
    </message>
    <message>
        <source>Go to it</source>
        <translation>转到它</translation>
    </message>
    <message>
        <source>Go to {about}</source>
        <translation>转到 {about}</translation>
    </message>
    <message>
        <source>Send first</source>
        <translation>优先发送</translation>
    </message>
    <message>
        <source>Send first: {about}</source>
        <translation>优先发送：{about}</translation>
    </message>
    <message>
        <source>Cancel {about}</source>
        <translation>取消 {about}</translation>
    </message>
    <message>
        <source>Nothing waits.</source>
        <translation>没有等待中的内容。</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages wait. What is cancelled is not sent; the question is kept.</source>
        <comment>{count} message waits. What is cancelled is not sent; the question is kept.</comment>
        <translation>
            <numerusform>{count} 条消息等待中。取消的不会发送；问题会保留。</numerusform>
        </translation>
    </message>
    <message>
        <source>{problem} Nothing was kept.</source>
        <translation>{problem} 未保存任何内容。</translation>
    </message>
    <message>
        <source>{label} is kept. It cannot answer before it has a key.</source>
        <translation>{label} 已保存。有密钥之前它无法回答。</translation>
    </message>
    <message>
        <source>{label} is connected.</source>
        <translation>{label} 已连接。</translation>
    </message>
    <message>
        <source>{label} is connected. {model} answers.</source>
        <translation>{label} 已连接。由 {model} 回答。</translation>
    </message>
    <message>
        <source>Paste the key of a provider, or choose a server of your own. It is tested before it is kept.</source>
        <translation>粘贴提供商的密钥，或选择自己的服务器。保存之前会先测试。</translation>
    </message>
    <message>
        <source>All providers…</source>
        <translation>所有提供商…</translation>
    </message>
    <message>
        <source>Provider</source>
        <translation>提供商</translation>
    </message>
    <message>
        <source>Own server…</source>
        <translation>自有服务器…</translation>
    </message>
    <message>
        <source>Address of the server</source>
        <translation>服务器的地址</translation>
    </message>
    <message>
        <source>Connect</source>
        <translation>连接</translation>
    </message>
    <message>
        <source>Save without a test</source>
        <translation>不测试直接保存</translation>
    </message>
    <message>
        <source>Found on this computer:</source>
        <translation>在此计算机上找到：</translation>
    </message>
    <message>
        <source>Use {label}, {models}</source>
        <translation>使用 {label}，{models}</translation>
    </message>
    <message>
        <source>Found on this computer: {servers}</source>
        <translation>在此计算机上找到：{servers}</translation>
    </message>
    <message>
        <source>Paste the key that {label} gave you.</source>
        <translation>请粘贴 {label} 给你的密钥。</translation>
    </message>
    <message>
        <source>This is a key of {label}</source>
        <translation>这是 {label} 的密钥</translation>
    </message>
    <message>
        <source>First steps</source>
        <translation>入门步骤</translation>
    </message>
    <message>
        <source>Take the tour</source>
        <translation>观看导览</translation>
    </message>
    <message>
        <source>Welcome to ChatDesk</source>
        <translation>欢迎使用 ChatDesk</translation>
    </message>
    <message>
        <source>Connect a model to begin. Your chats stay on this computer.</source>
        <translation>连接模型即可开始。聊天保存在此计算机上。</translation>
    </message>
    <message>
        <source>More…</source>
        <translation>更多…</translation>
    </message>
    <message>
        <source>Connect a provider</source>
        <translation>连接提供商</translation>
    </message>
    <message>
        <source>Import your chats</source>
        <translation>导入聊天</translation>
    </message>
    <message>
        <source>Choose where they are now: the next page says how to get them out.</source>
        <translation>请选择它们现在的位置：下一页会说明如何导出。</translation>
    </message>
    <message>
        <source>Import from {program}</source>
        <translation>从 {program} 导入</translation>
    </message>
    <message>
        <source>No account and no network: the demo model shows what ChatDesk can do.</source>
        <translation>无需账户和网络：演示模型会展示 ChatDesk 的功能。</translation>
    </message>
    <message>
        <source>What can ChatDesk do?</source>
        <translation>ChatDesk 能做什么？</translation>
    </message>
    <message>
        <source>The provider of this model is gone. Choose another model at the top.</source>
        <translation>此模型的提供商已不存在。请在顶部选择其他模型。</translation>
    </message>
    <message>
        <source>{label} has no key yet, so it cannot answer. Put it into Settings, Providers, or choose another model at the top.</source>
        <translation>{label} 还没有密钥，因此无法回答。请在“设置”的“提供商”中放入密钥，或在顶部选择其他模型。</translation>
    </message>
    <message>
        <source>The demo model answers, without account or network. It shows what ChatDesk can do.</source>
        <translation>由演示模型回答，无需账户或网络。它会展示 ChatDesk 的功能。</translation>
    </message>
    <message>
        <source>{who} answers. Choose another model at the top.</source>
        <translation>由 {who} 回答。可在顶部选择其他模型。</translation>
    </message>
    <message>
        <source>Text of the artifact</source>
        <translation>制品的文字</translation>
    </message>
    <message>
        <source>Ctrl+Enter saves a version, Esc leaves. Tab writes a tab.</source>
        <translation>Ctrl+Enter 保存版本，Esc 离开。Tab 输入制表符。</translation>
    </message>
    <message numerus="yes">
        <source>{count} rows</source>
        <comment>{count} row</comment>
        <translation>
            <numerusform>{count} 行</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} columns</source>
        <comment>{count} column</comment>
        <translation>
            <numerusform>{count} 列</numerusform>
        </translation>
    </message>
    <message>
        <source>Ask for a change</source>
        <translation>要求更改</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>保存…</translation>
    </message>
    <message>
        <source>Show in the thread</source>
        <translation>在对话中显示</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>从列表中移除</translation>
    </message>
    <message>
        <source>All artifacts</source>
        <translation>所有制品</translation>
    </message>
    <message>
        <source>Previous version of the artifact</source>
        <translation>制品的上一版本</translation>
    </message>
    <message>
        <source>Next version of the artifact</source>
        <translation>制品的下一版本</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>源代码</translation>
    </message>
    <message>
        <source>Differences</source>
        <translation>差异</translation>
    </message>
    <message>
        <source>Save as version</source>
        <translation>保存为版本</translation>
    </message>
    <message>
        <source>{number} / {count}</source>
        <translation>{number} / {count}</translation>
    </message>
    <message>
        <source>Hide differences</source>
        <translation>隐藏差异</translation>
    </message>
    <message>
        <source>Hide the differences</source>
        <translation>隐藏差异</translation>
    </message>
    <message>
        <source>Show what changed since version {number}</source>
        <translation>显示自版本 {number} 以来的更改</translation>
    </message>
    <message>
        <source>Drawn</source>
        <translation>渲染</translation>
    </message>
    <message>
        <source>Show it drawn</source>
        <translation>显示渲染结果</translation>
    </message>
    <message>
        <source>Show its source</source>
        <translation>显示其源代码</translation>
    </message>
    <message>
        <source>{name}, version {number} of {count}</source>
        <translation>{name}，版本 {number}/{count}</translation>
    </message>
    <message>
        <source>A temporary chat keeps no artifacts, because they are stored on disk. Keep the chat to open some.</source>
        <translation>临时聊天不保存制品，因为制品存储在磁盘上。请保留聊天以打开制品。</translation>
    </message>
    <message>
        <source>This thread has no artifacts yet. Files of its messages are listed here, and so is code that you open: code of 15 lines or more has “Open as artifact”, in its header and in the menu of its message.</source>
        <translation>此对话还没有制品。消息中的文件会列在这里，你打开的代码也是：15 行以上的代码在其标题栏和消息菜单中有“作为制品打开”。</translation>
    </message>
    <message>
        <source>Artifacts of this thread</source>
        <translation>此对话的制品</translation>
    </message>
    <message numerus="yes">
        <source>{count} versions</source>
        <comment>{count} version</comment>
        <translation>
            <numerusform>{count} 个版本</numerusform>
        </translation>
    </message>
    <message>
        <source>edited by you</source>
        <translation>由你编辑</translation>
    </message>
    <message>
        <source>proposed change to a file</source>
        <translation>对文件的更改建议</translation>
    </message>
    <message>
        <source>from the tool {tool}</source>
        <translation>来自工具 {tool}</translation>
    </message>
    <message>
        <source>attached to a question</source>
        <translation>附加到问题</translation>
    </message>
    <message>
        <source>from a question</source>
        <translation>来自问题</translation>
    </message>
    <message>
        <source>from an answer</source>
        <translation>来自回答</translation>
    </message>
    <message>
        <source>sent</source>
        <translation>已发送</translation>
    </message>
    <message>
        <source>in the summary</source>
        <translation>在摘要中</translation>
    </message>
    <message>
        <source>excluded</source>
        <translation>已排除</translation>
    </message>
    <message>
        <source>did not fit</source>
        <translation>放不下</translation>
    </message>
    <message>
        <source>empty</source>
        <translation>空</translation>
    </message>
    <message>
        <source>user</source>
        <translation>用户</translation>
    </message>
    <message>
        <source>assistant</source>
        <translation>助手</translation>
    </message>
    <message>
        <source>system</source>
        <translation>系统</translation>
    </message>
    <message>
        <source>tool</source>
        <translation>工具</translation>
    </message>
    <message>
        <source>before the start of the context</source>
        <translation>在上下文起点之前</translation>
    </message>
    <message>
        <source>What the model will see</source>
        <translation>模型将看到的内容</translation>
    </message>
    <message>
        <source>What happens to each message</source>
        <translation>每条消息的处理</translation>
    </message>
    <message>
        <source>Pin</source>
        <translation>固定</translation>
    </message>
    <message>
        <source>Exclude</source>
        <translation>排除</translation>
    </message>
    <message>
        <source>Start here</source>
        <translation>从这里开始</translation>
    </message>
    <message>
        <source>Copy request as JSON</source>
        <translation>将请求复制为 JSON</translation>
    </message>
    <message>
        <source>Nothing yet: ask something.</source>
        <translation>还没有内容：请提问。</translation>
    </message>
    <message>
        <source>Unpin</source>
        <translation>取消固定</translation>
    </message>
    <message>
        <source>Include</source>
        <translation>包含</translation>
    </message>
    <message>
        <source>Start at the top</source>
        <translation>从头开始</translation>
    </message>
    <message>
        <source>(no text)</source>
        <translation>（无文字）</translation>
    </message>
    <message>
        <source>{about}: {text}</source>
        <translation>{about}：{text}</translation>
    </message>
    <message>
        <source>about {used} of {window} tokens · {model}</source>
        <translation>约 {used} / {window} 个 token · {model}</translation>
    </message>
    <message>
        <source>{used} of {window} tokens · {model}</source>
        <translation>{used} / {window} 个 token · {model}</translation>
    </message>
    <message>
        <source>pinned</source>
        <translation>已固定</translation>
    </message>
    <message numerus="yes">
        <source>{count} did not fit</source>
        <comment>{count} did not fit</comment>
        <translation>
            <numerusform>{count} 条放不下</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} excluded</source>
        <comment>{count} excluded</comment>
        <translation>
            <numerusform>{count} 条已排除</numerusform>
        </translation>
    </message>
    <message>
        <source>older messages are left out from where you started</source>
        <translation>起点之前的较旧消息已略去</translation>
    </message>
    <message>
        <source>the summary is out of date and not sent</source>
        <translation>摘要已过时，不会发送</translation>
    </message>
    <message>
        <source>{part}: {tokens}</source>
        <translation>{part}：{tokens}</translation>
    </message>
    <message>
        <source>Memories</source>
        <translation>记忆</translation>
    </message>
    <message numerus="yes">
        <source>Summary of {count} messages</source>
        <comment>Summary of {count} message</comment>
        <translation>
            <numerusform>{count} 条消息的摘要</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Pinned · {count} messages</source>
        <comment>Pinned · {count} message</comment>
        <translation>
            <numerusform>已固定 · {count} 条消息</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Recent · {count} messages</source>
        <comment>Recent · {count} message</comment>
        <translation>
            <numerusform>最近 · {count} 条消息</numerusform>
        </translation>
    </message>
    <message>
        <source>Your draft</source>
        <translation>你的草稿</translation>
    </message>
    <message>
        <source>Room for the answer</source>
        <translation>留给回答的空间</translation>
    </message>
    <message>
        <source>Inspector</source>
        <translation>检查器</translation>
    </message>
    <message>
        <source>Inspector tabs</source>
        <translation>检查器标签页</translation>
    </message>
    <message>
        <source>Close the inspector</source>
        <translation>关闭检查器</translation>
    </message>
    <message>
        <source>Filter the questions</source>
        <translation>筛选问题</translation>
    </message>
    <message numerus="yes">
        <source>{count} questions</source>
        <comment>{count} question</comment>
        <translation>
            <numerusform>{count} 个问题</numerusform>
        </translation>
    </message>
    <message>
        <source>Reading the thread…</source>
        <translation>正在读取对话…</translation>
    </message>
    <message>
        <source>No question contains these words.</source>
        <translation>没有包含这些词的问题。</translation>
    </message>
    <message>
        <source>No question has been asked yet.</source>
        <translation>还没有提问。</translation>
    </message>
    <message numerus="yes">
        <source>about {count} tokens</source>
        <comment>about {count} token</comment>
        <translation>
            <numerusform>约 {count} 个 token</numerusform>
        </translation>
    </message>
    <message>
        <source>one of its messages was edited</source>
        <translation>其中一条消息已编辑</translation>
    </message>
    <message>
        <source>one of its messages was deleted</source>
        <translation>其中一条消息已删除</translation>
    </message>
    <message>
        <source>another version of one of its messages is shown</source>
        <translation>其中一条消息显示的是另一个版本</translation>
    </message>
    <message>
        <source>one of its messages was excluded</source>
        <translation>其中一条消息已排除</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>问题</translation>
    </message>
    <message>
        <source>Tool result</source>
        <translation>工具结果</translation>
    </message>
    <message>
        <source>Text of the summary</source>
        <translation>摘要的文字</translation>
    </message>
    <message>
        <source>Kept word for word, a line each</source>
        <translation>逐字保留，每行一条</translation>
    </message>
    <message>
        <source>Facts that are kept word for word, a line each</source>
        <translation>逐字保留的事实，每行一条</translation>
    </message>
    <message>
        <source>Summarise this thread</source>
        <translation>为此对话生成摘要</translation>
    </message>
    <message>
        <source>Summarise threads of this project</source>
        <translation>为此项目的对话生成摘要</translation>
    </message>
    <message>
        <source>Do not send</source>
        <translation>不发送</translation>
    </message>
    <message>
        <source>First source</source>
        <translation>第一个来源</translation>
    </message>
    <message>
        <source>Last source</source>
        <translation>最后一个来源</translation>
    </message>
    <message>
        <source>There is no summary yet: it is made when the context fills.</source>
        <translation>还没有摘要：上下文填满时生成。</translation>
    </message>
    <message>
        <source>Save the summary</source>
        <translation>保存摘要</translation>
    </message>
    <message>
        <source>Edit the summary</source>
        <translation>编辑摘要</translation>
    </message>
    <message>
        <source>Send again</source>
        <translation>重新发送</translation>
    </message>
    <message numerus="yes">
        <source>Made from {count} messages</source>
        <comment>Made from {count} message</comment>
        <translation>
            <numerusform>由 {count} 条消息生成</numerusform>
        </translation>
    </message>
    <message>
        <source>a model</source>
        <translation>模型</translation>
    </message>
    <message numerus="yes">
        <source>Version {version}, by {who}, {when}: {count} messages in {tokens} tokens.</source>
        <comment>Version {version}, by {who}, {when}: {count} message in {tokens} tokens.</comment>
        <translation>
            <numerusform>版本 {version}，由{who}于 {when} 生成：用 {tokens} 个 token 概括 {count} 条消息。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Making it took {count} tokens.</source>
        <comment>Making it took {count} token.</comment>
        <translation>
            <numerusform>生成它用了 {count} 个 token。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Making it took {count} tokens ({price}).</source>
        <comment>Making it took {count} token ({price}).</comment>
        <translation>
            <numerusform>生成它用了 {count} 个 token（{price}）。</numerusform>
        </translation>
    </message>
    <message>
        <source>Summaries are switched off in Settings, Context, for all threads.</source>
        <translation>在“设置”的“上下文”中已为所有对话关闭摘要。</translation>
    </message>
    <message>
        <source>No thread of this project is summarised.</source>
        <translation>此项目的对话都不生成摘要。</translation>
    </message>
    <message>
        <source>Today&apos;s limit for titles and summaries is reached. Summaries are made again tomorrow.</source>
        <translation>已达到今天标题和摘要的限额。摘要明天会再次生成。</translation>
    </message>
    <message>
        <source>Some of its messages are gone for good, so it is not sent.</source>
        <translation>它的一些消息已永久消失，因此不发送。</translation>
    </message>
    <message>
        <source>It is not sent: you switched it off. Another one is made only when you redo it.</source>
        <translation>不发送：你已将其关闭。只有重做时才会生成另一个。</translation>
    </message>
    <message>
        <source>It is out of date and not sent: {why}. Redo it to have it sent again.</source>
        <translation>它已过时，不会发送：{why}。请重做以再次发送。</translation>
    </message>
    <message>
        <source>It is out of date and not sent. Redo it to have it sent again.</source>
        <translation>它已过时，不会发送。请重做以再次发送。</translation>
    </message>
    <message>
        <source>Messages that the summary is made from</source>
        <translation>生成摘要所用的消息</translation>
    </message>
    <message>
        <source>All versions of this thread</source>
        <translation>此对话的所有版本</translation>
    </message>
    <message>
        <source>{what} of {model}</source>
        <translation>{model} 的{what}</translation>
    </message>
    <message>
        <source>version {number} of {count}</source>
        <translation>版本 {number}/{count}</translation>
    </message>
    <message>
        <source>removed for good</source>
        <translation>已永久移除</translation>
    </message>
    <message>
        <source>shown</source>
        <translation>显示中</translation>
    </message>
    <message>
        <source>{number}k</source>
        <translation>{number}k</translation>
    </message>
    <message>
        <source>{number}M</source>
        <translation>{number}M</translation>
    </message>
    <message>
        <source>at least {cost}</source>
        <translation>至少 {cost}</translation>
    </message>
    <message>
        <source>no price is known</source>
        <translation>价格未知</translation>
    </message>
    <message>
        <source>In</source>
        <translation>输入</translation>
    </message>
    <message>
        <source>Cached</source>
        <translation>缓存</translation>
    </message>
    <message>
        <source>Of them from the provider&apos;s cache</source>
        <translation>其中来自提供商的缓存</translation>
    </message>
    <message>
        <source>Out</source>
        <translation>输出</translation>
    </message>
    <message>
        <source>Thought</source>
        <translation>思考</translation>
    </message>
    <message>
        <source>Of them for reasoning</source>
        <translation>其中用于推理</translation>
    </message>
    <message>
        <source>Cost</source>
        <translation>费用</translation>
    </message>
    <message>
        <source>What this thread used</source>
        <translation>此对话的用量</translation>
    </message>
    <message>
        <source>Add prices…</source>
        <translation>添加价格…</translation>
    </message>
    <message>
        <source>Total</source>
        <translation>总计</translation>
    </message>
    <message>
        <source>{line}, {column}: {value}</source>
        <translation>{line}，{column}：{value}</translation>
    </message>
    <message>
        <source>Tokens and cost by kind of work and model</source>
        <translation>按工作类型和模型列出的 token 和费用</translation>
    </message>
    <message numerus="yes">
        <source>{count} requests</source>
        <comment>{count} request</comment>
        <translation>
            <numerusform>{count} 个请求</numerusform>
        </translation>
    </message>
    <message>
        <source>{tokens} in {requests}.</source>
        <translation>{requests}，共 {tokens}。</translation>
    </message>
    <message>
        <source>{tokens} in {requests}, {cost}.</source>
        <translation>{requests}，共 {tokens}，{cost}。</translation>
    </message>
    <message numerus="yes">
        <source>The tokens of {count} requests are estimates: the server did not count them.</source>
        <comment>The tokens of {count} request are estimates: the server did not count them.</comment>
        <translation>
            <numerusform>{count} 个请求的 token 数为估计值：服务器没有统计。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens were stored in the provider&apos;s cache.</source>
        <comment>{count} token was stored in the provider&apos;s cache.</comment>
        <translation>
            <numerusform>{count} 个 token 存储在提供商的缓存中。</numerusform>
        </translation>
    </message>
    <message>
        <source>No price is known for {models}. The cost leaves it out.</source>
        <translation>不知道 {models} 的价格。费用不含它。</translation>
    </message>
    <message>
        <source>{month} {year}</source>
        <translation>{year}年{month}</translation>
    </message>
    <message>
        <source>{day} {month}</source>
        <translation>{month}{day}日</translation>
    </message>
    <message>
        <source>{day} {month} {year}</source>
        <translation>{year}年{month}{day}日</translation>
    </message>
    <message>
        <source>{day}, {time}</source>
        <translation>{day} {time}</translation>
    </message>
    <message>
        <source>under {amount}</source>
        <translation>低于 {amount}</translation>
    </message>
    <message>
        <source>${amount}</source>
        <translation>${amount}</translation>
    </message>
    <message>
        <source>in threads with a tag</source>
        <translation>在带有某标签的对话中</translation>
    </message>
    <message>
        <source>written by you or by the model</source>
        <translation>由你或由模型所写</translation>
    </message>
    <message>
        <source>answered by a model</source>
        <translation>由某模型回答</translation>
    </message>
    <message>
        <source>before a day: 2026-05-01, yesterday, 7d</source>
        <translation>某日之前：2026-05-01、yesterday、7d</translation>
    </message>
    <message>
        <source>from a day on: 2026-05-01, yesterday, 7d</source>
        <translation>某日起：2026-05-01、yesterday、7d</translation>
    </message>
    <message>
        <source>with code, an image or a file</source>
        <translation>含代码、图像或文件</translation>
    </message>
    <message>
        <source>pinned, archived or trashed</source>
        <translation>已固定、已归档或在回收站中</translation>
    </message>
    <message>
        <source>Narrow with project: tag: role: model: before: after: has: is: and leave out with -word. &gt; lists commands.</source>
        <translation>用 project: tag: role: model: before: after: has: is: 缩小范围，用 -word 排除。&gt; 列出命令。</translation>
    </message>
    <message>
        <source>No command matches.</source>
        <translation>没有匹配的命令。</translation>
    </message>
    <message>
        <source>Filters</source>
        <translation>筛选条件</translation>
    </message>
    <message>
        <source>Filter {filter}</source>
        <translation>筛选条件 {filter}</translation>
    </message>
    <message>
        <source>Commands</source>
        <translation>命令</translation>
    </message>
    <message>
        <source>Search everything</source>
        <translation>搜索全部</translation>
    </message>
    <message>
        <source>Results are below: up and down choose, Tab goes to the next group</source>
        <translation>结果在下方：向上和向下键选择，Tab 转到下一组</translation>
    </message>
    <message>
        <source>Search messages, threads, files and commands</source>
        <translation>搜索消息、对话、文件和命令</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>{found}. First: {row}</source>
        <extracomment>Spoken after a search: how much was found, and the first result, which Enter opens.</extracomment>
        <translation>{found}。第一个结果：{row}</translation>
    </message>
    <message>
        <source>More messages…</source>
        <translation>更多消息…</translation>
    </message>
    <message>
        <source>More threads…</source>
        <translation>更多对话…</translation>
    </message>
    <message>
        <source>More projects…</source>
        <translation>更多项目…</translation>
    </message>
    <message>
        <source>More tags…</source>
        <translation>更多标签…</translation>
    </message>
    <message>
        <source>More files…</source>
        <translation>更多文件…</translation>
    </message>
    <message numerus="yes">
        <source>{count} tags</source>
        <comment>{count} tag</comment>
        <translation>
            <numerusform>{count} 个标签</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} files</source>
        <comment>{count} file</comment>
        <translation>
            <numerusform>{count} 个文件</numerusform>
        </translation>
    </message>
    <message>
        <source>Tool</source>
        <translation>工具</translation>
    </message>
    <message>
        <source>Recent threads</source>
        <translation>最近的对话</translation>
    </message>
    <message>
        <source>more than {found}</source>
        <translation>超过 {found}</translation>
    </message>
    <message numerus="yes">
        <source>{count} commands</source>
        <comment>{count} command</comment>
        <translation>
            <numerusform>{count} 个命令</numerusform>
        </translation>
    </message>
    <message>
        <source>today</source>
        <translation>今天</translation>
    </message>
    <message>
        <source>yesterday</source>
        <translation>昨天</translation>
    </message>
    <message>
        <source>All results for “{query}”</source>
        <translation>“{query}”的全部结果</translation>
    </message>
    <message>
        <source>archived</source>
        <translation>已归档</translation>
    </message>
    <message>
        <source>another version</source>
        <translation>另一个版本</translation>
    </message>
    <message>
        <source>{what}, in {thread}</source>
        <translation>{what}，在 {thread} 中</translation>
    </message>
    <message>
        <source>thread {name}</source>
        <translation>对话 {name}</translation>
    </message>
    <message>
        <source>project {name}</source>
        <translation>项目 {name}</translation>
    </message>
    <message>
        <source>tag {name}</source>
        <translation>标签 {name}</translation>
    </message>
    <message>
        <source>file {name}</source>
        <translation>文件 {name}</translation>
    </message>
    <message numerus="yes">
        <source>more than {count} found in {took} ms</source>
        <comment>more than {count} found in {took} ms</comment>
        <translation>
            <numerusform>{took} 毫秒内找到超过 {count} 个</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} found in {took} ms</source>
        <comment>{count} found in {took} ms</comment>
        <translation>
            <numerusform>{took} 毫秒内找到 {count} 个</numerusform>
        </translation>
    </message>
    <message>
        <source>more than {count} found</source>
        <translation>找到超过 {count} 个</translation>
    </message>
    <message numerus="yes">
        <source>{count} found</source>
        <comment>{count} found</comment>
        <translation>
            <numerusform>找到 {count} 个</numerusform>
        </translation>
    </message>
    <message>
        <source>Opens the list of what waits</source>
        <translation>打开等待列表</translation>
    </message>
    <message>
        <source>Temporary chat, not stored</source>
        <translation>临时聊天，不存储</translation>
    </message>
    <message>
        <source>Opens the temporary chat</source>
        <translation>打开临时聊天</translation>
    </message>
    <message>
        <source>{title} (temporary: nothing is stored)</source>
        <translation>{title}（临时：不存储任何内容）</translation>
    </message>
    <message>
        <source>Sync</source>
        <translation>同步</translation>
    </message>
    <message>
        <source>Opens the details of sync</source>
        <translation>打开同步详情</translation>
    </message>
    <message numerus="yes">
        <source>{title}, project folder, {count} threads</source>
        <comment>{title}, project folder, {count} thread</comment>
        <translation>
            <numerusform>{title}，项目文件夹，{count} 个对话</numerusform>
        </translation>
    </message>
    <message>
        <source>By name</source>
        <translation>按名称</translation>
    </message>
    <message>
        <source>Unknown time</source>
        <translation>未知时间</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>今天</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>昨天</translation>
    </message>
    <message>
        <source>Previous 7 days</source>
        <translation>过去 7 天</translation>
    </message>
    <message>
        <source>Pinned</source>
        <comment>heading</comment>
        <translation>已固定</translation>
    </message>
    <message numerus="yes">
        <source>{count} days left</source>
        <comment>{count} day left</comment>
        <translation>
            <numerusform>还剩 {count} 天</numerusform>
        </translation>
    </message>
    <message>
        <source>today {time}</source>
        <translation>今天 {time}</translation>
    </message>
    <message>
        <source>Load the list of threads again</source>
        <translation>重新加载对话列表</translation>
    </message>
    <message>
        <source>Loading threads…</source>
        <translation>正在加载对话…</translation>
    </message>
    <message>
        <source>Trash</source>
        <translation>回收站</translation>
    </message>
    <message>
        <source>You can only read this project</source>
        <translation>你只能读取此项目</translation>
    </message>
    <message numerus="yes">
        <source>Mark {count} threads as read</source>
        <comment>Mark {count} thread as read</comment>
        <translation>
            <numerusform>将 {count} 个对话标为已读</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Move {count} threads to a project…</source>
        <comment>Move {count} thread to a project…</comment>
        <translation>
            <numerusform>将 {count} 个对话移到项目…</numerusform>
        </translation>
    </message>
    <message>
        <source>Tags…</source>
        <translation>标签…</translation>
    </message>
    <message numerus="yes">
        <source>Export {count} threads…</source>
        <comment>Export {count} thread…</comment>
        <translation>
            <numerusform>导出 {count} 个对话…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads</source>
        <comment>Delete {count} thread</comment>
        <translation>
            <numerusform>删除 {count} 个对话</numerusform>
        </translation>
    </message>
    <message>
        <source>Sort by last activity</source>
        <translation>按最近活动排序</translation>
    </message>
    <message>
        <source>Sort by name</source>
        <translation>按名称排序</translation>
    </message>
    <message>
        <source>Group by date</source>
        <translation>按日期分组</translation>
    </message>
    <message>
        <source>Group by project</source>
        <translation>按项目分组</translation>
    </message>
    <message>
        <source>Show one tag</source>
        <translation>显示一个标签</translation>
    </message>
    <message>
        <source>All threads</source>
        <translation>所有对话</translation>
    </message>
    <message>
        <source>Delete for good…</source>
        <translation>永久删除…</translation>
    </message>
    <message numerus="yes">
        <source>Restore {count} threads</source>
        <comment>Restore {count} thread</comment>
        <translation>
            <numerusform>恢复 {count} 个对话</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good…</source>
        <comment>Delete {count} thread for good…</comment>
        <translation>
            <numerusform>永久删除 {count} 个对话…</numerusform>
        </translation>
    </message>
    <message>
        <source>Unpin</source>
        <comment>thread</comment>
        <translation>取消固定</translation>
    </message>
    <message>
        <source>Pin</source>
        <comment>thread</comment>
        <translation>固定</translation>
    </message>
    <message numerus="yes">
        <source>Unpin {count} threads</source>
        <comment>Unpin {count} thread</comment>
        <translation>
            <numerusform>取消固定 {count} 个对话</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Pin {count} threads</source>
        <comment>Pin {count} thread</comment>
        <translation>
            <numerusform>固定 {count} 个对话</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Move {count} threads out of the archive</source>
        <comment>Move {count} thread out of the archive</comment>
        <translation>
            <numerusform>将 {count} 个对话移出归档</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Archive {count} threads</source>
        <comment>Archive {count} thread</comment>
        <translation>
            <numerusform>归档 {count} 个对话</numerusform>
        </translation>
    </message>
    <message>
        <source>Project {name}, {shared}</source>
        <translation>项目 {name}，{shared}</translation>
    </message>
    <message>
        <source>Opens the list of projects</source>
        <translation>打开项目列表</translation>
    </message>
    <message>
        <source>deleted {when}</source>
        <translation>删除于 {when}</translation>
    </message>
    <message numerus="yes">
        <source>{count} unread</source>
        <comment>{count} unread</comment>
        <translation>
            <numerusform>{count} 条未读</numerusform>
        </translation>
    </message>
    <message>
        <source>tagged {tags}</source>
        <translation>标签：{tags}</translation>
    </message>
    <message>
        <source>pinned</source>
        <comment>thread</comment>
        <translation>已固定</translation>
    </message>
    <message>
        <source>answer is being written</source>
        <translation>正在编写回答</translation>
    </message>
    <message>
        <source>Marked threads</source>
        <translation>已标记的对话</translation>
    </message>
    <message>
        <source>Mark nothing</source>
        <translation>取消全部标记</translation>
    </message>
    <message numerus="yes">
        <source>{count} marked</source>
        <comment>{count} marked</comment>
        <translation>
            <numerusform>已标记 {count} 个</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads are marked</source>
        <comment>{count} thread is marked</comment>
        <translation>
            <numerusform>已标记 {count} 个对话</numerusform>
        </translation>
    </message>
    <message>
        <source>Sidebar</source>
        <translation>侧边栏</translation>
    </message>
    <message>
        <source>New thread (Ctrl+N)</source>
        <translation>新对话 (Ctrl+N)</translation>
    </message>
    <message>
        <source>Settings (Ctrl+,)</source>
        <translation>设置 (Ctrl+,)</translation>
    </message>
    <message>
        <source>Threads, archive or trash</source>
        <translation>对话、归档或回收站</translation>
    </message>
    <message>
        <source>Opening…</source>
        <translation>正在打开…</translation>
    </message>
    <message>
        <source>Status: {text}</source>
        <translation>状态：{text}</translation>
    </message>
    <message>
        <source>{what}: {text}</source>
        <translation>{what}：{text}</translation>
    </message>
    <message>
        <source>Title of the thread</source>
        <translation>对话的标题</translation>
    </message>
    <message>
        <source>No thread here has the tag “{tag}”.</source>
        <translation>这里没有带标签“{tag}”的对话。</translation>
    </message>
    <message>
        <source>Nothing is archived.</source>
        <translation>没有归档内容。</translation>
    </message>
    <message numerus="yes">
        <source>No thread is in the trash. Deleted threads and messages stay here for {count} days.</source>
        <comment>No thread is in the trash. Deleted threads and messages stay here for {count} day.</comment>
        <translation>
            <numerusform>回收站中没有对话。删除的对话和消息在这里保留 {count} 天。</numerusform>
        </translation>
    </message>
    <message>
        <source>No threads in this project yet. Type a question to begin the first.</source>
        <translation>此项目中还没有对话。输入问题即可开始第一个。</translation>
    </message>
    <message>
        <source>No threads yet. Type a question to begin the first.</source>
        <translation>还没有对话。输入问题即可开始第一个。</translation>
    </message>
    <message>
        <source>{list} · back to threads</source>
        <translation>{list} · 返回对话</translation>
    </message>
    <message>
        <source>{list} with “{tag}” · show all</source>
        <translation>{list}，带“{tag}” · 显示全部</translation>
    </message>
    <message>
        <source>{name}. {remark}</source>
        <translation>{name}。{remark}</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>图像</translation>
    </message>
    <message>
        <source>Diagram</source>
        <translation>图表</translation>
    </message>
    <message>
        <source>Attached: {file}</source>
        <translation>已附加：{file}</translation>
    </message>
    <message>
        <source>New messages begin here</source>
        <translation>新消息从这里开始</translation>
    </message>
    <message>
        <source>Message tools</source>
        <translation>消息工具</translation>
    </message>
    <message>
        <source>Formula {text}</source>
        <translation>公式 {text}</translation>
    </message>
    <message>
        <source>Heading level {level}</source>
        <translation>{level} 级标题</translation>
    </message>
    <message>
        <source>List level {level}</source>
        <translation>{level} 级列表</translation>
    </message>
    <message>
        <source>Not fetched, from {host}</source>
        <translation>未获取，来自 {host}</translation>
    </message>
    <message>
        <source>{column}: {words}</source>
        <translation>{column}：{words}</translation>
    </message>
    <message>
        <source>Column {column}</source>
        <translation>列 {column}</translation>
    </message>
    <message>
        <source>Row {number}, column {column}</source>
        <translation>第 {number} 行，列 {column}</translation>
    </message>
    <message>
        <source>Transcript</source>
        <translation>聊天记录</translation>
    </message>
    <message>
        <source>The first {most_messages} messages were copied.</source>
        <translation>已复制前 {most_messages} 条消息。</translation>
    </message>
    <message>
        <source>{weekday}, {moment} {zone}</source>
        <translation>{weekday}，{moment} {zone}</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds} 秒</translation>
    </message>
    <message>
        <source>{minutes} min {seconds} s</source>
        <translation>{minutes} 分 {seconds} 秒</translation>
    </message>
    <message>
        <source>It is not an image that can be shown.</source>
        <translation>它不是可以显示的图像。</translation>
    </message>
    <message>
        <source>It has too many pixels.</source>
        <translation>它的像素太多。</translation>
    </message>
    <message>
        <source>It is damaged or too large.</source>
        <translation>它已损坏或太大。</translation>
    </message>
    <message>
        <source>The file is not there.</source>
        <translation>文件不存在。</translation>
    </message>
    <message>
        <source>It is larger than {limit} MB.</source>
        <translation>它大于 {limit} MB。</translation>
    </message>
    <message>
        <source>The file cannot be read.</source>
        <translation>无法读取文件。</translation>
    </message>
    <message>
        <source>Column {name}: Left and Right choose another, with Shift they change its width, Enter fits all columns again</source>
        <translation>列 {name}：向左和向右键选择其他列，加 Shift 更改宽度，Enter 重新适应所有列</translation>
    </message>
    <message>
        <source>Previous match (Shift+Enter)</source>
        <translation>上一个匹配 (Shift+Enter)</translation>
    </message>
    <message>
        <source>Next match (Enter)</source>
        <translation>下一个匹配 (Enter)</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>关闭 (Esc)</translation>
    </message>
    <message>
        <source>{number} of {count}+</source>
        <translation>{number}/{count}+</translation>
    </message>
    <message>
        <source>{number} of {count}</source>
        <translation>{number}/{count}</translation>
    </message>
    <message>
        <source>{count}+ found</source>
        <translation>找到 {count}+ 个</translation>
    </message>
    <message>
        <source>Match {place}</source>
        <translation>匹配 {place}</translation>
    </message>
    <message numerus="yes">
        <source>{count} found, match {place}</source>
        <comment>{count} found, match {place}</comment>
        <translation>
            <numerusform>找到 {count} 个，匹配 {place}</numerusform>
        </translation>
    </message>
    <message>
        <source>{action}: {reason}</source>
        <translation>{action}：{reason}</translation>
    </message>
    <message>
        <source>New file</source>
        <translation>新文件</translation>
    </message>
    <message>
        <source>Change to a file</source>
        <translation>对文件的更改</translation>
    </message>
    <message>
        <source>Removal of a file</source>
        <translation>移除文件</translation>
    </message>
    <message>
        <source>Proposed</source>
        <translation>已建议</translation>
    </message>
    <message>
        <source>Applied</source>
        <translation>已应用</translation>
    </message>
    <message>
        <source>Rejected</source>
        <translation>已拒绝</translation>
    </message>
    <message>
        <source>Outdated: the file was changed since</source>
        <translation>已过时：此后文件已更改</translation>
    </message>
    <message>
        <source>Applied; the file was changed since</source>
        <translation>已应用；此后文件已更改</translation>
    </message>
    <message>
        <source>The project has no such folder here</source>
        <translation>项目在此处没有这样的文件夹</translation>
    </message>
    <message>
        <source>Proposed elsewhere, so it cannot be applied here</source>
        <translation>在别处建议，因此无法在这里应用</translation>
    </message>
    <message>
        <source>Edit the change to {file}</source>
        <translation>编辑对 {file} 的更改</translation>
    </message>
    <message>
        <source>Apply…</source>
        <translation>应用…</translation>
    </message>
    <message>
        <source>Apply the change to {file}</source>
        <translation>应用对 {file} 的更改</translation>
    </message>
    <message>
        <source>Reject the change to {file}</source>
        <translation>拒绝对 {file} 的更改</translation>
    </message>
    <message>
        <source>Undo the change to {file}</source>
        <translation>撤销对 {file} 的更改</translation>
    </message>
    <message>
        <source>its beginning</source>
        <translation>其开头</translation>
    </message>
    <message>
        <source>Do not wrap lines</source>
        <translation>不自动换行</translation>
    </message>
    <message>
        <source>Wrap lines</source>
        <translation>自动换行</translation>
    </message>
    <message>
        <source>Open this page in your browser</source>
        <translation>在浏览器中打开此页面</translation>
    </message>
    <message numerus="yes">
        <source>Show all {count} lines</source>
        <comment>Show the {count} line</comment>
        <translation>
            <numerusform>显示全部 {count} 行</numerusform>
        </translation>
    </message>
    <message>
        <source>Show fewer lines</source>
        <translation>显示较少的行</translation>
    </message>
    <message>
        <source>Copy code</source>
        <translation>复制代码</translation>
    </message>
    <message>
        <source>Save code…</source>
        <translation>保存代码…</translation>
    </message>
    <message>
        <source>Open code as artifact</source>
        <translation>将代码作为制品打开</translation>
    </message>
    <message>
        <source>Copy {language} code</source>
        <translation>复制 {language} 代码</translation>
    </message>
    <message>
        <source>Save {language} code…</source>
        <translation>保存 {language} 代码…</translation>
    </message>
    <message>
        <source>Open {language} code as artifact</source>
        <translation>将 {language} 代码作为制品打开</translation>
    </message>
    <message>
        <source>Show picture</source>
        <translation>显示图片</translation>
    </message>
    <message>
        <source>Show diagram</source>
        <translation>显示图表</translation>
    </message>
    <message>
        <source>Show source</source>
        <translation>显示源代码</translation>
    </message>
    <message>
        <source>Markdown</source>
        <translation>Markdown</translation>
    </message>
    <message>
        <source>Document</source>
        <translation>文档</translation>
    </message>
    <message>
        <source>Slides</source>
        <translation>幻灯片</translation>
    </message>
    <message>
        <source>Book</source>
        <translation>图书</translation>
    </message>
    <message>
        <source>Mail</source>
        <translation>邮件</translation>
    </message>
    <message>
        <source>Archive</source>
        <comment>file</comment>
        <translation>压缩文件</translation>
    </message>
    <message>
        <source>is being fetched from the team</source>
        <translation>正在从团队获取</translation>
    </message>
    <message>
        <source>missing on the team&apos;s server; tried again later</source>
        <translation>团队的服务器上缺失；稍后重试</translation>
    </message>
    <message>
        <source>not sent</source>
        <translation>未发送</translation>
    </message>
    <message>
        <source>sent in part</source>
        <translation>部分发送</translation>
    </message>
    <message>
        <source>Open {file}</source>
        <translation>打开 {file}</translation>
    </message>
    <message>
        <source>Save a copy of {file}</source>
        <translation>保存 {file} 的副本</translation>
    </message>
    <message>
        <source>Show in its folder: {file}</source>
        <translation>在其文件夹中显示：{file}</translation>
    </message>
    <message>
        <source>Copy {file}</source>
        <translation>复制 {file}</translation>
    </message>
    <message>
        <source>Open as artifact: {file}</source>
        <translation>作为制品打开：{file}</translation>
    </message>
    <message>
        <source>{format} file</source>
        <translation>{format} 文件</translation>
    </message>
    <message>
        <source>Hide {name}</source>
        <translation>隐藏 {name}</translation>
    </message>
    <message>
        <source>Show {name}</source>
        <translation>显示 {name}</translation>
    </message>
    <message>
        <source>asked by {name}</source>
        <translation>由 {name} 提问</translation>
    </message>
    <message>
        <source>Load image from {host}</source>
        <translation>从 {host} 加载图像</translation>
    </message>
    <message>
        <source>Load image from {host} in your own network</source>
        <translation>从你自己网络中的 {host} 加载图像</translation>
    </message>
    <message>
        <source>Load it anyway</source>
        <translation>仍然加载</translation>
    </message>
    <message>
        <source>Load image</source>
        <translation>加载图像</translation>
    </message>
    <message>
        <source>from {host}</source>
        <translation>来自 {host}</translation>
    </message>
    <message>
        <source>not shown</source>
        <translation>未显示</translation>
    </message>
    <message numerus="yes">
        <source>Summary of {count} messages ends here · out of date and not sent · Show</source>
        <comment>Summary of {count} message ends here · out of date and not sent · Show</comment>
        <translation>
            <numerusform>{count} 条消息的摘要到此结束 · 已过时，不会发送 · 显示</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show the summary of {count} messages, out of date and not sent</source>
        <comment>Show the summary of {count} message, out of date and not sent</comment>
        <translation>
            <numerusform>显示 {count} 条消息的摘要，已过时，不会发送</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarised up to here · {count} messages · Show</source>
        <comment>Summarised up to here · {count} message · Show</comment>
        <translation>
            <numerusform>摘要截至此处 · {count} 条消息 · 显示</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show the summary of {count} messages up to here</source>
        <comment>Show the summary of {count} message up to here</comment>
        <translation>
            <numerusform>显示截至此处 {count} 条消息的摘要</numerusform>
        </translation>
    </message>
    <message>
        <source>Note, which the model sees</source>
        <translation>备注，模型可看到</translation>
    </message>
    <message>
        <source>Note, pinned into the context</source>
        <translation>备注，已固定到上下文</translation>
    </message>
    <message>
        <source>Note, not sent to the model</source>
        <translation>备注，不发送给模型</translation>
    </message>
    <message>
        <source>Edited by {person}, pinned into the context</source>
        <translation>由 {person} 编辑，已固定到上下文</translation>
    </message>
    <message>
        <source>Edited by {person}, excluded from the context</source>
        <translation>由 {person} 编辑，已从上下文排除</translation>
    </message>
    <message>
        <source>Edited by {person}</source>
        <translation>由 {person} 编辑</translation>
    </message>
    <message>
        <source>Wide formula: Left and Right move it</source>
        <translation>宽公式：用向左和向右键移动</translation>
    </message>
    <message>
        <source>Trying again…</source>
        <translation>正在重试…</translation>
    </message>
    <message>
        <source>Trying again in {time} (attempt {attempt}).</source>
        <translation>{time}后重试（第 {attempt} 次）。</translation>
    </message>
    <message>
        <source>This picture is being fetched from the team.</source>
        <translation>正在从团队获取此图片。</translation>
    </message>
    <message>
        <source>This picture is missing on the team&apos;s server. ChatDesk tries again later.</source>
        <translation>团队的服务器上缺少此图片。ChatDesk 稍后会重试。</translation>
    </message>
    <message>
        <source>Copy table</source>
        <translation>复制表格</translation>
    </message>
    <message numerus="yes">
        <source>Show all {count} rows</source>
        <comment>Show the {count} row</comment>
        <translation>
            <numerusform>显示全部 {count} 行</numerusform>
        </translation>
    </message>
    <message>
        <source>Show fewer rows</source>
        <translation>显示较少的行</translation>
    </message>
    <message>
        <source>Waiting for {who}, {duration}</source>
        <translation>正在等待 {who}，{duration}</translation>
    </message>
    <message numerus="yes">
        <source>{count} new messages</source>
        <comment>{count} new message</comment>
        <translation>
            <numerusform>{count} 条新消息</numerusform>
        </translation>
    </message>
    <message>
        <source>Jump to newest</source>
        <translation>跳转到最新</translation>
    </message>
    <message>
        <source>Jump to newest, {new}</source>
        <translation>跳转到最新，{new}</translation>
    </message>
    <message>
        <source>This question has no answer.</source>
        <translation>此问题没有回答。</translation>
    </message>
    <message>
        <source>More</source>
        <translation>更多</translation>
    </message>
    <message>
        <source>{count} from cache</source>
        <translation>{count} 来自缓存</translation>
    </message>
    <message>
        <source>{count} cached</source>
        <translation>{count} 已缓存</translation>
    </message>
    <message>
        <source>you can only read this project</source>
        <translation>你只能读取此项目</translation>
    </message>
    <message>
        <source>You</source>
        <translation>你</translation>
    </message>
    <message>
        <source>System</source>
        <translation>系统</translation>
    </message>
    <message>
        <source>{moment}, as the author&apos;s computer says; it came to the team {accepted}</source>
        <translation>作者的计算机显示为 {moment}；到达团队的时间为 {accepted}</translation>
    </message>
    <message>
        <source>version {number} of {count}, by {person}</source>
        <translation>版本 {number}/{count}，来自 {person}</translation>
    </message>
    <message>
        <source>{person} wrote this</source>
        <translation>由 {person} 所写</translation>
    </message>
    <message>
        <source>Try now</source>
        <translation>立即重试</translation>
    </message>
    <message>
        <source>Choose another model…</source>
        <translation>选择其他模型…</translation>
    </message>
    <message>
        <source>Choose a larger model…</source>
        <translation>选择更大的模型…</translation>
    </message>
    <message>
        <source>Edit the message</source>
        <translation>编辑消息</translation>
    </message>
    <message>
        <source>Shorten</source>
        <translation>缩短</translation>
    </message>
    <message>
        <source>Change the key…</source>
        <translation>更改密钥…</translation>
    </message>
    <message>
        <source>Check the key…</source>
        <translation>检查密钥…</translation>
    </message>
    <message>
        <source>Open the provider…</source>
        <translation>打开提供商…</translation>
    </message>
    <message>
        <source>Choose a larger model</source>
        <translation>选择更大的模型</translation>
    </message>
    <message>
        <source>Send without the image</source>
        <translation>不带图片发送</translation>
    </message>
    <message>
        <source>Send as attachment excerpt</source>
        <translation>作为附件摘录发送</translation>
    </message>
    <message>
        <source>Edit the system prompt</source>
        <translation>编辑系统提示词</translation>
    </message>
    <message>
        <source>Include it and ask</source>
        <translation>包含并提问</translation>
    </message>
    <message>
        <source>Send anyway once</source>
        <translation>仍然发送一次</translation>
    </message>
    <message>
        <source>Raise limit…</source>
        <translation>提高限额…</translation>
    </message>
    <message>
        <source>Something went wrong. Your message is kept.</source>
        <translation>出了点问题。消息已保留。</translation>
    </message>
    <message>
        <source>{person} stopped this answer.</source>
        <translation>{person} 停止了此回答。</translation>
    </message>
    <message>
        <source>You stopped this answer.</source>
        <translation>你停止了此回答。</translation>
    </message>
    <message>
        <source>The answer reached its maximum length.</source>
        <translation>回答达到了最大长度。</translation>
    </message>
    <message>
        <source>ChatDesk of {person} was closed before this answer was complete. Everything that had arrived is kept.</source>
        <translation>在此回答完成之前，{person} 的 ChatDesk 已关闭。已到达的内容全部保留。</translation>
    </message>
    <message>
        <source>ChatDesk was closed before this answer was complete. Everything that had arrived is kept.</source>
        <translation>在此回答完成之前，ChatDesk 已关闭。已到达的内容全部保留。</translation>
    </message>
    <message numerus="yes">
        <source>ChatDesk was closed while {count} calls waited for your approval. Nothing was run.</source>
        <comment>ChatDesk was closed while {count} call waited for your approval. Nothing was run.</comment>
        <translation>
            <numerusform>{count} 个调用等待你批准时 ChatDesk 已关闭。未运行任何内容。</numerusform>
        </translation>
    </message>
    <message>
        <source>Decide…</source>
        <translation>决定…</translation>
    </message>
    <message>
        <source>ChatDesk ended while {tool} ran. Nobody knows what it did, and it is not repeated unless you say so.</source>
        <translation>{tool} 运行期间 ChatDesk 结束了。无从得知它做了什么；除非你要求，否则不会重复。</translation>
    </message>
    <message numerus="yes">
        <source>ChatDesk ended while {count} calls ran. Nobody knows what it did, and it is not repeated unless you say so.</source>
        <comment>ChatDesk ended while {count} call ran. Nobody knows what it did, and it is not repeated unless you say so.</comment>
        <translation>
            <numerusform>{count} 个调用运行期间 ChatDesk 结束了。无从得知它们做了什么；除非你要求，否则不会重复。</numerusform>
        </translation>
    </message>
    <message>
        <source>Run again…</source>
        <translation>再次运行…</translation>
    </message>
    <message>
        <source>Try at {time}</source>
        <translation>{time} 重试</translation>
    </message>
    <message>
        <source>This text has more than 1 MB, so it is not formatted. Copy it to read it elsewhere.</source>
        <translation>此文本超过 1 MB，因此不设置格式。如需在别处阅读，请复制它。</translation>
    </message>
    <message>
        <source>Thinking…</source>
        <translation>正在思考…</translation>
    </message>
    <message>
        <source>Thought for {time}</source>
        <translation>思考了 {time}</translation>
    </message>
    <message>
        <source>It is on its way…</source>
        <translation>正在到来…</translation>
    </message>
    <message>
        <source>{name}: {state}</source>
        <translation>{name}：{state}</translation>
    </message>
    <message>
        <source>under a second</source>
        <translation>不到一秒</translation>
    </message>
    <message>
        <source>pinned into the context</source>
        <translation>已固定到上下文</translation>
    </message>
    <message>
        <source>excluded from the context</source>
        <translation>已从上下文排除</translation>
    </message>
    <message numerus="yes">
        <source>{count} code blocks</source>
        <comment>{count} code block</comment>
        <translation>
            <numerusform>{count} 个代码块</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tables</source>
        <comment>{count} table</comment>
        <translation>
            <numerusform>{count} 个表格</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} formulas</source>
        <comment>{count} formula</comment>
        <translation>
            <numerusform>{count} 个公式</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} images</source>
        <comment>{count} image</comment>
        <translation>
            <numerusform>{count} 张图像</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} diagrams</source>
        <comment>{count} diagram</comment>
        <translation>
            <numerusform>{count} 个图表</numerusform>
        </translation>
    </message>
    <message>
        <source>bullet</source>
        <translation>项目符号</translation>
    </message>
    <message>
        <source>not done</source>
        <translation>未完成</translation>
    </message>
    <message>
        <source>done</source>
        <translation>已完成</translation>
    </message>
    <message>
        <source>definition</source>
        <translation>定义</translation>
    </message>
    <message>
        <source>edited by {person}</source>
        <translation>由 {person} 编辑</translation>
    </message>
    <message>
        <source>asked by {person}</source>
        <translation>由 {person} 提问</translation>
    </message>
    <message>
        <source>message {number} of {count}</source>
        <translation>第 {number} 条消息，共 {count} 条</translation>
    </message>
    <message>
        <source>note</source>
        <translation>备注</translation>
    </message>
    <message>
        <source>part {number} of {count}</source>
        <translation>第 {number} 部分，共 {count} 部分</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines</source>
        <comment>{count} line</comment>
        <translation>
            <numerusform>{count} 行</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Table, {count} columns</source>
        <comment>Table, {count} column</comment>
        <translation>
            <numerusform>表格，{count} 列</numerusform>
        </translation>
    </message>
    <message>
        <source>{table}, rows {first} to {last} of {count}</source>
        <translation>{table}，第 {first} 至 {last} 行，共 {count} 行</translation>
    </message>
    <message>
        <source>Back to the text</source>
        <translation>返回文字</translation>
    </message>
    <message>
        <source>Footnote {number}</source>
        <translation>脚注 {number}</translation>
    </message>
    <message>
        <source>{author} is answering</source>
        <translation>{author} 正在回答</translation>
    </message>
    <message>
        <source>{author} has answered</source>
        <translation>{author} 已回答</translation>
    </message>
    <message>
        <source>The answer was stopped</source>
        <translation>回答已停止</translation>
    </message>
    <message>
        <source>The answer is not complete</source>
        <translation>回答不完整</translation>
    </message>
    <message>
        <source>Image, {alt}</source>
        <translation>图像，{alt}</translation>
    </message>
    <message>
        <source>day</source>
        <translation>日</translation>
    </message>
    <message>
        <source>week</source>
        <translation>周</translation>
    </message>
    <message>
        <source>month</source>
        <translation>月</translation>
    </message>
    <message>
        <source>model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>project</source>
        <translation>项目</translation>
    </message>
    <message>
        <source>kind</source>
        <translation>类型</translation>
    </message>
    <message>
        <source>Chart of usage</source>
        <translation>用量图表</translation>
    </message>
    <message>
        <source>Chart of {measure} by {rows}</source>
        <translation>按{rows}显示{measure}的图表</translation>
    </message>
    <message>
        <source>Arrow keys go from bar to bar; the table below has the same numbers.</source>
        <translation>用方向键在柱之间移动；下方的表格有相同的数字。</translation>
    </message>
    <message>
        <source>{row}: {amount}</source>
        <translation>{row}：{amount}</translation>
    </message>
    <message>
        <source>No requests in these days.</source>
        <translation>这些天没有请求。</translation>
    </message>
    <message numerus="yes">
        <source>In all {amount} in {count} rows. The largest is {row} with {most}.</source>
        <comment>In all {amount} in {count} row. The largest is {row} with {most}.</comment>
        <translation>
            <numerusform>{count} 行合计 {amount}。最大的是 {row}，为 {most}。</numerusform>
        </translation>
    </message>
    <message>
        <source>no price known</source>
        <translation>价格未知</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens in {requests}.</source>
        <comment>About {count} token in {requests}.</comment>
        <translation>
            <numerusform>{requests}，约 {count} 个 token。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens in {requests}.</source>
        <comment>{count} token in {requests}.</comment>
        <translation>
            <numerusform>{requests}，{count} 个 token。</numerusform>
        </translation>
    </message>
    <message>
        <source>Week of {day}</source>
        <translation>{day}所在周</translation>
    </message>
    <message>
        <source>{weekday}, {day}</source>
        <translation>{day}，{weekday}</translation>
    </message>
    <message>
        <source>cost</source>
        <translation>费用</translation>
    </message>
    <message>
        <source>Requests</source>
        <translation>请求</translation>
    </message>
    <message>
        <source>requests</source>
        <translation>请求</translation>
    </message>
    <message>
        <source>7 days</source>
        <translation>7 天</translation>
    </message>
    <message>
        <source>All</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>Own days</source>
        <translation>自选日期</translation>
    </message>
    <message>
        <source>By day</source>
        <translation>按日</translation>
    </message>
    <message>
        <source>By model</source>
        <translation>按模型</translation>
    </message>
    <message>
        <source>By project</source>
        <translation>按项目</translation>
    </message>
    <message>
        <source>By kind</source>
        <translation>按类型</translation>
    </message>
    <message>
        <source>Days</source>
        <comment>period</comment>
        <translation>时间段</translation>
    </message>
    <message>
        <source>First day</source>
        <translation>第一天</translation>
    </message>
    <message>
        <source>Last day</source>
        <translation>最后一天</translation>
    </message>
    <message>
        <source>What the bars show</source>
        <translation>柱所显示的内容</translation>
    </message>
    <message>
        <source>Export CSV…</source>
        <translation>导出 CSV…</translation>
    </message>
    <message>
        <source>Cost: {cost}.</source>
        <translation>费用：{cost}。</translation>
    </message>
    <message>
        <source>No price is known for these models.</source>
        <translation>不知道这些模型的价格。</translation>
    </message>
    <message numerus="yes">
        <source>≈: the tokens of {count} requests are estimates.</source>
        <comment>≈: the tokens of {count} request are estimates.</comment>
        <translation>
            <numerusform>≈：{count} 个请求的 token 数为估计值。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>No price is known for {count} requests; the cost leaves them out.</source>
        <comment>No price is known for {count} request; the cost leaves them out.</comment>
        <translation>
            <numerusform>{count} 个请求的价格未知；费用不含它们。</numerusform>
        </translation>
    </message>
    <message>
        <source>Tokens in</source>
        <translation>输入 token</translation>
    </message>
    <message>
        <source>From cache</source>
        <translation>来自缓存</translation>
    </message>
    <message>
        <source>Of them read from the provider&apos;s cache</source>
        <translation>其中从提供商的缓存读取</translation>
    </message>
    <message>
        <source>Of them written to the provider&apos;s cache</source>
        <translation>其中写入提供商的缓存</translation>
    </message>
    <message>
        <source>Tokens out</source>
        <translation>输出 token</translation>
    </message>
    <message>
        <source>Week</source>
        <translation>周</translation>
    </message>
    <message>
        <source>Month</source>
        <translation>月</translation>
    </message>
    <message>
        <source>Day</source>
        <translation>日</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>类型</translation>
    </message>
    <message>
        <source>Usage as a table</source>
        <translation>用量表格</translation>
    </message>
    <message>
        <source>Close this notice</source>
        <translation>关闭此通知</translation>
    </message>
    <message>
        <source>{percent}%</source>
        <translation>{percent}%</translation>
    </message>
    <message>
        <source>nearly full</source>
        <translation>快满了</translation>
    </message>
    <message>
        <source>filling up</source>
        <translation>逐渐填满</translation>
    </message>
    <message>
        <source>Context used: {percentage}</source>
        <translation>上下文已用：{percentage}</translation>
    </message>
    <message>
        <source>Context of this thread</source>
        <translation>此对话的上下文</translation>
    </message>
    <message>
        <source>How full the context is</source>
        <translation>上下文的占用情况</translation>
    </message>
    <message>
        <source>Show what is sent</source>
        <translation>显示发送的内容</translation>
    </message>
    <message>
        <source>Explain a stack trace</source>
        <translation>解释堆栈跟踪</translation>
    </message>
    <message>
        <source>Paste it; get the cause and the fix</source>
        <translation>粘贴后得到原因和修复方法</translation>
    </message>
    <message>
        <source>Explain this error. What causes it, and how do I fix it?

</source>
        <translation>请解释此错误。原因是什么，如何修复？

</translation>
    </message>
    <message>
        <source>Summarise a document</source>
        <translation>为文档生成摘要</translation>
    </message>
    <message>
        <source>Drop a PDF or a text file</source>
        <translation>拖入 PDF 或文本文件</translation>
    </message>
    <message>
        <source>Summarise this document: the main points first, then what is left open.</source>
        <translation>请为此文档生成摘要：先写要点，再写尚未解决的问题。</translation>
    </message>
    <message>
        <source>Make a comparison table</source>
        <translation>制作比较表</translation>
    </message>
    <message>
        <source>Options against criteria</source>
        <translation>按标准比较各选项</translation>
    </message>
    <message>
        <source>Compare these options in a table, by cost, effort and risk:
- </source>
        <translation>请用表格按费用、工作量和风险比较这些选项：
- </translation>
    </message>
    <message>
        <source>From a ChatGPT or Claude export</source>
        <translation>从 ChatGPT 或 Claude 的导出文件</translation>
    </message>
    <message>
        <source>What ChatDesk can do</source>
        <translation>ChatDesk 的功能</translation>
    </message>
    <message>
        <source>See an answer</source>
        <translation>查看一个回答</translation>
    </message>
    <message>
        <source>With code, a table and a formula</source>
        <translation>含代码、表格和公式</translation>
    </message>
    <message>
        <source>A key, or a server of your own</source>
        <translation>一个密钥，或自己的服务器</translation>
    </message>
    <message>
        <source>See what goes with it, and save it</source>
        <translation>查看附带的内容，并保存</translation>
    </message>
    <message>
        <source>Nothing is changed</source>
        <translation>不做任何更改</translation>
    </message>
    <message>
        <source>See what is in it first</source>
        <translation>先查看其中的内容</translation>
    </message>
    <message>
        <source>What are you working on?</source>
        <translation>你在做什么？</translation>
    </message>
    <message>
        <source>Your threads could not be opened</source>
        <translation>无法打开你的对话</translation>
    </message>
    <message>
        <source>Opening your threads…</source>
        <translation>正在打开你的对话…</translation>
    </message>
    <message>
        <source>If you restore a backup, the database as it is now is kept.</source>
        <translation>如果恢复备份，现在的数据库会保留。</translation>
    </message>
    <message>
        <source>{size} KB</source>
        <translation>{size} KB</translation>
    </message>
    <message>
        <source>{size} MB</source>
        <translation>{size} MB</translation>
    </message>
    <message>
        <source>{first} is typing…</source>
        <translation>{first} 正在输入…</translation>
    </message>
    <message>
        <source>{first} and {second} are typing…</source>
        <translation>{first} 和 {second} 正在输入…</translation>
    </message>
    <message numerus="yes">
        <source>{count} people are typing…</source>
        <comment>{count} person is typing…</comment>
        <translation>
            <numerusform>{count} 人正在输入…</numerusform>
        </translation>
    </message>
    <message>
        <source>Here now: {names}</source>
        <translation>当前在此：{names}</translation>
    </message>
    <message>
        <source>Temporary</source>
        <translation>临时</translation>
    </message>
    <message>
        <source>Nothing of this chat is stored. It is gone when ChatDesk closes, unless you keep it.</source>
        <translation>此聊天不存储任何内容。除非你保留它，否则 ChatDesk 关闭时它会消失。</translation>
    </message>
    <message>
        <source>Store this chat with all its messages</source>
        <translation>存储此聊天及其所有消息</translation>
    </message>
    <message>
        <source>Keep this chat</source>
        <translation>保留此聊天</translation>
    </message>
    <message>
        <source>Temporary. {meaning}</source>
        <translation>临时。{meaning}</translation>
    </message>
    <message>
        <source>Thread header</source>
        <translation>对话标题栏</translation>
    </message>
    <message>
        <source>Show the sidebar</source>
        <translation>显示侧边栏</translation>
    </message>
    <message>
        <source>Questions of this thread</source>
        <translation>此对话的问题</translation>
    </message>
    <message>
        <source>More about this thread</source>
        <translation>此对话的更多操作</translation>
    </message>
    <message>
        <source>Close this chat</source>
        <translation>关闭此聊天</translation>
    </message>
    <message>
        <source>Thread title</source>
        <translation>对话标题</translation>
    </message>
    <message>
        <source>Paste your API key</source>
        <translation>粘贴你的 API 密钥</translation>
    </message>
    <message>
        <source>Show the key</source>
        <translation>显示密钥</translation>
    </message>
    <message>
        <source>Hide the key</source>
        <translation>隐藏密钥</translation>
    </message>
    <message>
        <source>Opens {url} in the browser.</source>
        <translation>在浏览器中打开 {url}。</translation>
    </message>
    <message>
        <source>{others} and {last}</source>
        <translation>{others} 和 {last}</translation>
    </message>
    <message>
        <source>, </source>
        <translation>、</translation>
    </message>
    <message>
        <source>Choose a model</source>
        <translation>选择模型</translation>
    </message>
    <message>
        <source>Up and Down move, Enter chooses, Ctrl+D marks a favourite.</source>
        <translation>向上和向下键移动，Enter 选择，Ctrl+D 标为收藏。</translation>
    </message>
    <message>
        <source>Fetch the lists of models again</source>
        <translation>重新获取模型列表</translation>
    </message>
    <message>
        <source>Add provider…</source>
        <translation>添加提供商…</translation>
    </message>
    <message>
        <source>No model matches.</source>
        <translation>没有匹配的模型。</translation>
    </message>
    <message>
        <source>There is no model yet. Add a provider.</source>
        <translation>还没有模型。请添加提供商。</translation>
    </message>
    <message>
        <source>Marked as a favourite</source>
        <translation>已标为收藏</translation>
    </message>
    <message>
        <source>No longer a favourite</source>
        <translation>已取消收藏</translation>
    </message>
    <message>
        <source>Model: {text}</source>
        <translation>模型：{text}</translation>
    </message>
    <message>
        <source>{text}: choose another model</source>
        <translation>{text}：选择其他模型</translation>
    </message>
    <message>
        <source>Favourites</source>
        <translation>收藏</translation>
    </message>
    <message>
        <source>favourite</source>
        <translation>收藏</translation>
    </message>
    <message>
        <source>chosen</source>
        <translation>已选择</translation>
    </message>
    <message>
        <source>Find a project</source>
        <translation>查找项目</translation>
    </message>
    <message>
        <source>open</source>
        <translation>已打开</translation>
    </message>
    <message>
        <source>No project matches.</source>
        <translation>没有匹配的项目。</translation>
    </message>
    <message>
        <source>Clear the search</source>
        <translation>清除搜索</translation>
    </message>
    <message>
        <source>Border between the two chats</source>
        <translation>两个聊天之间的边界</translation>
    </message>
    <message>
        <source>Chat at the left</source>
        <translation>左侧的聊天</translation>
    </message>
    <message>
        <source>Chat at the right</source>
        <translation>右侧的聊天</translation>
    </message>
    <message>
        <source>Active: commands act here</source>
        <translation>当前：命令在此生效</translation>
    </message>
    <message>
        <source>Chats of this window</source>
        <translation>此窗口的聊天</translation>
    </message>
    <message>
        <source>Menu bar</source>
        <translation>菜单栏</translation>
    </message>
    <message>
        <source>Show the menu bar</source>
        <translation>显示菜单栏</translation>
    </message>
    <message>
        <source>Hide the menu bar</source>
        <translation>隐藏菜单栏</translation>
    </message>
    <message>
        <source>Hide the sidebar</source>
        <translation>隐藏侧边栏</translation>
    </message>
    <message>
        <source>The sidebar is shown</source>
        <translation>侧边栏已显示</translation>
    </message>
    <message>
        <source>The sidebar is hidden</source>
        <translation>侧边栏已隐藏</translation>
    </message>
    <message>
        <source>{title} – ChatDesk</source>
        <translation>{title} – ChatDesk</translation>
    </message>
    <message>
        <source>usage: </source>
        <translation>用法： </translation>
    </message>
    <message>
        <source>positional arguments</source>
        <translation>参数</translation>
    </message>
    <message>
        <source>options</source>
        <translation>选项</translation>
    </message>
    <message>
        <source>show this help message and exit</source>
        <translation>显示此帮助并退出</translation>
    </message>
    <message>
        <source>show program&apos;s version number and exit</source>
        <translation>显示程序版本并退出</translation>
    </message>
    <message>
        <source>%(prog)s: error: %(message)s
</source>
        <translation>%(prog)s：错误：%(message)s
</translation>
    </message>
    <message>
        <source>argument %(argument_name)s: %(message)s</source>
        <translation>参数 %(argument_name)s：%(message)s</translation>
    </message>
    <message>
        <source>the following arguments are required: %s</source>
        <translation>缺少以下参数：%s</translation>
    </message>
    <message>
        <source>one of the arguments %s is required</source>
        <translation>需要以下参数之一：%s</translation>
    </message>
    <message>
        <source>expected one argument</source>
        <translation>需要一个值</translation>
    </message>
    <message>
        <source>expected at most one argument</source>
        <translation>最多一个值</translation>
    </message>
    <message>
        <source>expected at least one argument</source>
        <translation>至少需要一个值</translation>
    </message>
    <message>
        <source>invalid choice: %(value)r (choose from %(choices)s)</source>
        <translation>无效的选项：%(value)r（可选 %(choices)s）</translation>
    </message>
    <message>
        <source>invalid %(type)s value: %(value)r</source>
        <translation>无效的值（%(type)s）：%(value)r</translation>
    </message>
    <message>
        <source>unrecognized arguments: %s</source>
        <translation>无法识别的参数：%s</translation>
    </message>
    <message>
        <source>not allowed with argument %s</source>
        <translation>不能与参数 %s 同时使用</translation>
    </message>
    <message>
        <source>ambiguous option: %(option)s could match %(matches)s</source>
        <translation>选项不明确：%(option)s 可能是 %(matches)s</translation>
    </message>
    <message>
        <source>ignored explicit argument %r</source>
        <translation>多余的值：%r</translation>
    </message>
    <message numerus="yes">
        <source>expected %s arguments</source>
        <comment>expected %s argument</comment>
        <translation>
            <numerusform>需要 %s 个值</numerusform>
        </translation>
    </message>
    <message>
        <source>invited</source>
        <translation>已邀请</translation>
    </message>
    <message>
        <source>active</source>
        <translation>有效</translation>
    </message>
    <message>
        <source>removed</source>
        <translation>已移除</translation>
    </message>
    <message>
        <source>warning</source>
        <translation>警告</translation>
    </message>
    <message>
        <source>Recovered messages</source>
        <translation>恢复的消息</translation>
    </message>
    <message>
        <source>Not taken by the team</source>
        <translation>未被团队接受</translation>
    </message>
    <message>
        <source>{title} (branch)</source>
        <translation>{title}（分支）</translation>
    </message>
    <message>
        <source>Server at port {port}</source>
        <translation>端口 {port} 上的服务器</translation>
    </message>
    <message>
        <source>It answers</source>
        <translation>有应答</translation>
    </message>
    <message>
        <source>Lets ChatDesk search</source>
        <translation>允许 ChatDesk 搜索</translation>
    </message>
    <message>
        <source>Finds pages</source>
        <translation>能找到网页</translation>
    </message>
    <message>
        <source>New</source>
        <comment>messages</comment>
        <translation>新消息</translation>
    </message>
    <message>
        <source>Works</source>
        <translation>可用</translation>
    </message>
    <message>
        <source>Does not work</source>
        <translation>不可用</translation>
    </message>
    <message>
        <source>{who} offers no embeddings.</source>
        <translation>{who} 不提供嵌入（embeddings）。</translation>
    </message>
    <message>
        <source>The counters of thread {thread} are wrong.</source>
        <translation>对话 {thread} 的计数有误。</translation>
    </message>
    <message>
        <source>The last shown message of thread {thread} is wrong.</source>
        <translation>对话 {thread} 中最后显示的消息有误。</translation>
    </message>
    <message>
        <source>The attached file {name} is missing.</source>
        <translation>附件 {name} 缺失。</translation>
    </message>
    <message>
        <source>The attached file {name} is not what was saved.</source>
        <translation>附件 {name} 与保存的内容不同。</translation>
    </message>
    <message>
        <source>The attached file {name} is a link to another file.</source>
        <translation>附件 {name} 是指向其他文件的链接。</translation>
    </message>
    <message>
        <source>The attached file {name} cannot be read.</source>
        <translation>无法读取附件 {name}。</translation>
    </message>
    <message>
        <source>SQLite reports: {report}.</source>
        <translation>SQLite 报告：{report}。</translation>
    </message>
    <message>
        <source>A row of {table} points to a missing row of {missing}.</source>
        <translation>{table} 的一行指向 {missing} 中缺失的行。</translation>
    </message>
    <message>
        <source>The text of message {message} is not what was saved.</source>
        <translation>消息 {message} 的文字与保存的内容不同。</translation>
    </message>
    <message>
        <source>This question is no longer waiting.</source>
        <translation>此问题不再等待。</translation>
    </message>
    <message>
        <source>It did not arrive completely.</source>
        <translation>它未完整到达。</translation>
    </message>
    <message>
        <source>This provider no longer exists.</source>
        <translation>该提供商已不存在。</translation>
    </message>
    <message>
        <source>This answer is no longer waiting.</source>
        <translation>此回答不再等待。</translation>
    </message>
    <message>
        <source>This file contains more messages than can be read at once.</source>
        <translation>此文件包含的消息超过一次能读取的数量。</translation>
    </message>
    <message>
        <source>ChatDesk keeps running in the tray. To end it, choose Quit there or in the menu.</source>
        <translation>ChatDesk 在托盘中继续运行。要结束它，请在托盘或菜单中选择“退出”。</translation>
    </message>
    <message>
        <source>unknown time</source>
        <translation>未知时间</translation>
    </message>
    <message>
        <source>The proxy that the system names cannot be used: {proxy}. Name an HTTP proxy there.</source>
        <translation>系统指定的代理无法使用：{proxy}。请在那里指定一个 HTTP 代理。</translation>
    </message>
    <message>
        <source>The proxy wants a user name and a password: {proxy}. Nothing was sent.</source>
        <translation>代理要求用户名和密码：{proxy}。没有发送任何内容。</translation>
    </message>
    <message>
        <source>Write them into its address, as in http://name:password@proxy:3128.</source>
        <translation>请将它们写入代理的地址，形如 http://name:password@proxy:3128。</translation>
    </message>
    <message>
        <source>The proxy let nothing through ({answer}): {proxy}.</source>
        <translation>代理未放行任何内容（{answer}）：{proxy}。</translation>
    </message>
    <message>
        <source>Ask who runs it, or set the proxy of this provider in Settings, Providers.</source>
        <translation>请询问代理的管理者，或在“设置”的“提供商”中设置此提供商的代理。</translation>
    </message>
    <message>
        <source>The proxy could not be reached: {proxy}. Nothing was sent.</source>
        <translation>无法连接代理：{proxy}。没有发送任何内容。</translation>
    </message>
    <message>
        <source>Check the proxy, or set the proxy of this provider in Settings, Providers.</source>
        <translation>请检查代理，或在“设置”的“提供商”中设置此提供商的代理。</translation>
    </message>
    <message>
        <source>Upgrading a copy of the database…</source>
        <translation>正在升级数据库的副本…</translation>
    </message>
    <message>
        <source>The row {row} of {table} has values that cannot be: {columns}.</source>
        <translation>{table} 的第 {row} 行含有不可能的值：{columns}。</translation>
    </message>
    <message numerus="yes">
        <source>{count} values of {table} were replaced.</source>
        <comment>{count} value of {table} was replaced.</comment>
        <translation>
            <numerusform>已替换 {table} 的 {count} 个值。</numerusform>
        </translation>
    </message>
    <message>
        <source>{path} is not a file.</source>
        <translation>{path} 不是文件。</translation>
    </message>
    <message>
        <source>{path} cannot be read ({reason}).</source>
        <translation>无法读取 {path} ({reason})。</translation>
    </message>
    <message>
        <source>{path} is damaged.</source>
        <translation>{path} 已损坏。</translation>
    </message>
    <message>
        <source>own files</source>
        <translation>自有文件</translation>
    </message>
    <message>
        <source>ChatDesk goes on without it.</source>
        <translation>ChatDesk 会在没有它的情况下继续。</translation>
    </message>
    <message>
        <source>Damaged files were kept in {directory} as {names}. Remove them when you no longer need them.</source>
        <translation>损坏的文件已保留在 {directory} 中，名为 {names}。不再需要时请移除它们。</translation>
    </message>
    <message>
        <source>file of {subject}</source>
        <translation>文件（{subject}）</translation>
    </message>
    <message>
        <source>Empty or damaged, so that they count as no backups: {names}.</source>
        <translation>为空或已损坏，不算作备份：{names}。</translation>
    </message>
    <message>
        <source>Remove them from {directory}.</source>
        <translation>请从 {directory} 中移除它们。</translation>
    </message>
    <message>
        <source>backups</source>
        <translation>备份</translation>
    </message>
    <message>
        <source>import</source>
        <translation>导入</translation>
    </message>
    <message>
        <source>choose the model</source>
        <translation>选择模型</translation>
    </message>
    <message>
        <source>attach a file</source>
        <translation>附加文件</translation>
    </message>
    <message>
        <source>These braces are not closed. Write }} after the name, or a backslash before mere braces.</source>
        <translation>这些花括号没有闭合。请在名称后写 }}，或在普通花括号前加反斜杠。</translation>
    </message>
    <message>
        <source>A variable needs a name between its braces.</source>
        <translation>变量的花括号之间需要名称。</translation>
    </message>
    <message>
        <source>A name begins with a letter and has letters, digits, spaces, - and _ only. It is inserted as it is written.</source>
        <translation>名称以字母开头，只能包含字母、数字、空格、- 和 _。将按原样插入。</translation>
    </message>
    <message>
        <source>Line {line}, column {column}: {problem}</source>
        <translation>第 {line} 行第 {column} 列：{problem}</translation>
    </message>
    <message>
        <source>{variable} has {count} characters; the first {kept} were inserted.</source>
        <translation>{variable} 有 {count} 个字符；已插入前 {kept} 个。</translation>
    </message>
    <message>
        <source>The text was cut after {count} characters.</source>
        <translation>文字在 {count} 个字符处被截断。</translation>
    </message>
    <message>
        <source>A name has at most {count} characters. It is inserted as it is written.</source>
        <translation>名称最多 {count} 个字符。将按原样插入。</translation>
    </message>
    <message>
        <source>{variable} means nothing in a system prompt.</source>
        <translation>{variable} 在系统提示词中没有意义。</translation>
    </message>
    <message>
        <source>{variable} takes nothing after its name, so this is inserted as it is written.</source>
        <translation>{variable} 的名称后不能有内容，因此按原样插入。</translation>
    </message>
    <message>
        <source>This format is not known. Use parts as in {example}, or {variable} alone. It is inserted as it is written.</source>
        <translation>此格式未知。请使用类似 {example} 的写法，或只写 {variable}。将按原样插入。</translation>
    </message>
    <message>
        <source>{variable} is not known in a system prompt.</source>
        <translation>{variable} 在系统提示词中未知。</translation>
    </message>
    <message>
        <source>Write 1 to {count} choices, such as {example}.</source>
        <translation>请写 1 到 {count} 个选项，例如 {example}。</translation>
    </message>
    <message>
        <source>A template has at most {count} fields. This one stays as it is written.</source>
        <translation>模板最多有 {count} 个字段。这一个保持原样。</translation>
    </message>
    <message>
        <source>{variable} is asked for as a field.</source>
        <translation>{variable} 会作为字段询问。</translation>
    </message>
    <message>
        <source>Did you mean {variable}?</source>
        <translation>你是指 {variable} 吗？</translation>
    </message>
    <message>
        <source>Only {names} are known there; this is sent as it is written.</source>
        <translation>那里只支持 {names}；此处按原样发送。</translation>
    </message>
    <message>
        <source>The model gave an empty summary.</source>
        <translation>模型给出的摘要为空。</translation>
    </message>
    <message>
        <source>The model gave a summary that says nothing.</source>
        <translation>模型给出的摘要没有内容。</translation>
    </message>
    <message>
        <source>The model refused to summarise.</source>
        <translation>模型拒绝做摘要。</translation>
    </message>
    <message>
        <source>The model gave a summary that is longer than the messages.</source>
        <translation>模型给出的摘要比消息还长。</translation>
    </message>
    <message>
        <source>The model did not finish its summary.</source>
        <translation>模型没有写完摘要。</translation>
    </message>
    <message>
        <source>This link cannot be opened: it names neither a thread nor an invitation.</source>
        <translation>无法打开此链接：它既不指向对话，也不指向邀请。</translation>
    </message>
    <message>
        <source>Ask the person who gave it to you to copy it again.</source>
        <translation>请让给你链接的人重新复制一次。</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>详情</translation>
    </message>
    <message>
        <source>{kilobytes} KB, damaged or too large</source>
        <translation>{kilobytes} KB，已损坏或过大</translation>
    </message>
    <message>
        <source>too large for a table</source>
        <translation>太大，无法显示为表格</translation>
    </message>
    <message>
        <source>Note</source>
        <comment>callout</comment>
        <translation>备注</translation>
    </message>
    <message>
        <source>Tip</source>
        <comment>callout</comment>
        <translation>提示</translation>
    </message>
    <message>
        <source>Important</source>
        <comment>callout</comment>
        <translation>重要</translation>
    </message>
    <message>
        <source>Warning</source>
        <comment>callout</comment>
        <translation>警告</translation>
    </message>
    <message>
        <source>Caution</source>
        <comment>callout</comment>
        <translation>注意</translation>
    </message>
    <message>
        <source>This diagram could not be drawn</source>
        <translation>无法绘制此图表</translation>
    </message>
    <message>
        <source>Diagrams cannot be drawn on this computer</source>
        <translation>此计算机上无法绘制图表</translation>
    </message>
    <message>
        <source>This picture could not be drawn</source>
        <translation>无法绘制此图片</translation>
    </message>
    <message>
        <source>Erased project</source>
        <translation>已抹除的项目</translation>
    </message>
    <message>
        <source>Shared project</source>
        <translation>共享项目</translation>
    </message>
    <message>
        <source>The team&apos;s database reports: {reason}</source>
        <translation>团队的数据库报告：{reason}</translation>
    </message>
    <message>
        <source>This file of the project&apos;s folder cannot be used.</source>
        <translation>无法使用项目文件夹中的这个文件。</translation>
    </message>
    <message>
        <source>This path is too long, or has characters that cannot be seen.</source>
        <translation>此路径过长，或含有不可见的字符。</translation>
    </message>
    <message>
        <source>Paths begin at the project&apos;s folder: “src/main.py”, for example.</source>
        <translation>路径从项目文件夹开始：例如“src/main.py”。</translation>
    </message>
    <message>
        <source>A path cannot lead out of the project&apos;s folder.</source>
        <translation>路径不能离开项目文件夹。</translation>
    </message>
    <message>
        <source>This path is too deep.</source>
        <translation>此路径层级过深。</translation>
    </message>
    <message>
        <source>“{name}” usually holds secrets, or is managed by a program, so no tool may use it.</source>
        <translation>“{name}”通常含有机密，或由程序管理，因此任何工具都不能使用它。</translation>
    </message>
    <message>
        <source>The project&apos;s folder cannot be opened, or there is a link on the way to it.</source>
        <translation>无法打开项目文件夹，或通往它的路径上有链接。</translation>
    </message>
    <message>
        <source>Choose it again in the project&apos;s dialog.</source>
        <translation>请在项目的对话框中重新选择它。</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a folder, a link or a device. Links are not followed.</source>
        <translation>“{name}”不是文件，而是文件夹、链接或设备。不跟随链接。</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a folder, a link or a device.</source>
        <translation>“{name}”不是文件，而是文件夹、链接或设备。</translation>
    </message>
    <message>
        <source>“{name}” is no longer a file.</source>
        <translation>“{name}”已不再是文件。</translation>
    </message>
    <message>
        <source>“{name}” has a second name (a hard link), perhaps outside of the project&apos;s folder.</source>
        <translation>“{name}”有第二个名称（硬链接），可能在项目文件夹之外。</translation>
    </message>
    <message>
        <source>Copy it if tools are to use it.</source>
        <translation>如需让工具使用它，请复制一份。</translation>
    </message>
    <message>
        <source>“{name}” is too large; the limit is {most}.</source>
        <translation>“{name}”太大；上限为 {most}。</translation>
    </message>
    <message>
        <source>“{name}” is not a folder, or there is a link on the way. Links are not followed.</source>
        <translation>“{name}”不是文件夹，或路径上有链接。不跟随链接。</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a link. Links are not followed.</source>
        <translation>“{name}”不是文件，而是链接。不跟随链接。</translation>
    </message>
    <message>
        <source>There is no folder “{name}” in the project&apos;s folder.</source>
        <translation>项目文件夹中没有文件夹“{name}”。</translation>
    </message>
    <message>
        <source>There is no file “{name}” in the project&apos;s folder.</source>
        <translation>项目文件夹中没有文件“{name}”。</translation>
    </message>
    <message>
        <source>You may not read “{name}”.</source>
        <translation>你无权读取“{name}”。</translation>
    </message>
    <message>
        <source>“{name}” cannot be opened: {reason}.</source>
        <translation>无法打开“{name}”：{reason}。</translation>
    </message>
    <message>
        <source>The file was changed after the change was proposed.</source>
        <translation>提出更改之后，该文件又被更改。</translation>
    </message>
    <message>
        <source>Ask the model to read the file again and to propose the change again.</source>
        <translation>请让模型重新读取文件，并重新提出更改。</translation>
    </message>
    <message>
        <source>The file was removed after the change was proposed.</source>
        <translation>提出更改之后，该文件被移除。</translation>
    </message>
    <message>
        <source>There is already a file with that name.</source>
        <translation>已有同名文件。</translation>
    </message>
    <message>
        <source>The file belongs to another user of this computer.</source>
        <translation>该文件属于此计算机的另一个用户。</translation>
    </message>
    <message>
        <source>The file is write-protected.</source>
        <translation>该文件有写保护。</translation>
    </message>
    <message>
        <source>Remove the protection, then try again.</source>
        <translation>请取消保护，然后重试。</translation>
    </message>
    <message>
        <source>The disk of “{name}” is full.</source>
        <translation>“{name}”所在的磁盘已满。</translation>
    </message>
    <message>
        <source>Free some space, then try again.</source>
        <translation>请释放一些空间，然后重试。</translation>
    </message>
    <message>
        <source>You may not write to “{name}”.</source>
        <translation>你无权写入“{name}”。</translation>
    </message>
    <message>
        <source>“{name}” could not be written: {reason}.</source>
        <translation>无法写入“{name}”：{reason}。</translation>
    </message>
    <message>
        <source>It no longer knows the session.</source>
        <translation>它已不认识该会话。</translation>
    </message>
    <message>
        <source>something</source>
        <translation>其他内容</translation>
    </message>
    <message>
        <source>It answered with {kind}, not with a message of the protocol. Is its address right?</source>
        <translation>它返回了 {kind}，而不是协议的消息。地址正确吗？</translation>
    </message>
    <message>
        <source>The connection ended before it answered.</source>
        <translation>它在回答之前连接就已结束。</translation>
    </message>
    <message>
        <source>It answered with status {status}.</source>
        <translation>它返回了状态 {status}。</translation>
    </message>
    <message>
        <source>ChatDesk does not speak the older transport with two addresses (SSE): is there one that ends with /mcp?</source>
        <translation>ChatDesk 不支持使用两个地址的旧传输方式 (SSE)：有没有以 /mcp 结尾的地址？</translation>
    </message>
    <message>
        <source>It sent more than {most} values in one message.</source>
        <translation>它在一条消息中发送了超过 {most} 个值。</translation>
    </message>
    <message>
        <source>It is larger than {most}.</source>
        <translation>它大于 {most}。</translation>
    </message>
    <message>
        <source>It is not valid base64.</source>
        <translation>它不是有效的 base64。</translation>
    </message>
    <message>
        <source>It sent too many requests, or used an id twice, before it read the answers.</source>
        <translation>它在读取应答之前发送了过多请求，或重复使用了同一个 ID。</translation>
    </message>
    <message>
        <source>It was stopped.</source>
        <translation>它已被停止。</translation>
    </message>
    <message>
        <source>It did not answer in time.</source>
        <translation>它没有及时应答。</translation>
    </message>
    <message>
        <source>Its answer could not be read ({kind}).</source>
        <translation>无法读取它的应答 ({kind})。</translation>
    </message>
    <message>
        <source>It is not running.</source>
        <translation>它没有运行。</translation>
    </message>
    <message>
        <source>The sign-in was declined.</source>
        <translation>登录被拒绝。</translation>
    </message>
    <message>
        <source>It ended.</source>
        <translation>它已结束。</translation>
    </message>
    <message>
        <source>Its answer does not follow the protocol.</source>
        <translation>它的应答不符合协议。</translation>
    </message>
    <message>
        <source>It did not answer in {seconds} s (Settings, Tools).</source>
        <translation>它在 {seconds} 秒内没有应答（“设置”的“工具”）。</translation>
    </message>
    <message>
        <source>The program {name} was not found.</source>
        <translation>找不到程序 {name}。</translation>
    </message>
    <message>
        <source>The program {name} may not be run.</source>
        <translation>不允许运行程序 {name}。</translation>
    </message>
    <message>
        <source>It cannot be reached.</source>
        <translation>无法连接到它。</translation>
    </message>
    <message>
        <source>It refused the connection: {reason}</source>
        <translation>它拒绝了连接：{reason}</translation>
    </message>
    <message>
        <source>The connection failed ({kind}).</source>
        <translation>连接失败 ({kind})。</translation>
    </message>
    <message>
        <source>It asked to sign in again right after you had signed in.</source>
        <translation>你刚登录之后，它又要求登录。</translation>
    </message>
    <message>
        <source>It sends you to a page of another site than the one that would get your sign-in.</source>
        <translation>它把你引向的页面不属于将收到你登录信息的网站。</translation>
    </message>
    <message>
        <source>It sends sign-ins over an address that others could read.</source>
        <translation>它通过他人可以读取的地址发送登录信息。</translation>
    </message>
    <message>
        <source>It sends sign-ins to an address on this computer or its network.</source>
        <translation>它把登录信息发送到此计算机或其网络中的地址。</translation>
    </message>
    <message>
        <source>Nobody signed in in time.</source>
        <translation>没有人及时登录。</translation>
    </message>
    <message>
        <source>It does not let ChatDesk register. Enter the ID of a client that you registered there.</source>
        <translation>它不允许 ChatDesk 注册。请输入你在那里注册的客户端的 ID。</translation>
    </message>
    <message>
        <source>It did not accept the sign-in.</source>
        <translation>它没有接受登录。</translation>
    </message>
    <message>
        <source>The facts that it gives about signing in contradict each other.</source>
        <translation>它给出的登录信息互相矛盾。</translation>
    </message>
    <message>
        <source>The server where you sign in could not be reached, or sent too much.</source>
        <translation>无法连接到你要登录的服务器，或它发送的内容过多。</translation>
    </message>
    <message>
        <source>Signing in failed ({kind}).</source>
        <translation>登录失败 ({kind})。</translation>
    </message>
    <message>
        <source>It ended with exit code {code}.</source>
        <translation>它已结束，退出码为 {code}。</translation>
    </message>
    <message>
        <source>Its output is not valid UTF-8.</source>
        <translation>它的输出不是有效的 UTF-8。</translation>
    </message>
    <message>
        <source>It sent more than {most} in one message.</source>
        <translation>它在一条消息中发送了超过 {most} 的内容。</translation>
    </message>
    <message>
        <source>{path} cannot be written: {reason}.</source>
        <translation>无法写入 {path}：{reason}。</translation>
    </message>
    <message>
        <source>There is nothing here.</source>
        <translation>这里什么也没有。</translation>
    </message>
    <message>
        <source>This answer belongs to no sign-in that ChatDesk waits for.</source>
        <translation>此应答不属于 ChatDesk 正在等待的任何登录。</translation>
    </message>
    <message>
        <source>The sign-in was declined. You can close this page.</source>
        <translation>登录被拒绝。你可以关闭此页面。</translation>
    </message>
    <message>
        <source>ChatDesk has the answer. You can close this page.</source>
        <translation>ChatDesk 已收到应答。你可以关闭此页面。</translation>
    </message>
    <message>
        <source>It is not JSON.</source>
        <translation>它不是 JSON。</translation>
    </message>
    <message>
        <source>It is cut off.</source>
        <translation>它被截断了。</translation>
    </message>
    <message>
        <source>It is nested {count} levels deep.</source>
        <translation>它嵌套了 {count} 层。</translation>
    </message>
    <message>
        <source>It is nested too deeply.</source>
        <translation>它嵌套过深。</translation>
    </message>
    <message>
        <source>The folder of the service {path} cannot be written to: {reason}.</source>
        <translation>无法写入服务文件夹 {path}：{reason}。</translation>
    </message>
    <message>
        <source>Check its owner and permissions, or choose another --data-dir.</source>
        <translation>请检查其所有者和权限，或选择另一个 --data-dir。</translation>
    </message>
    <message>
        <source>The service cannot listen: {reason}.</source>
        <translation>服务无法监听：{reason}。</translation>
    </message>
    <message>
        <source>Choose another port in the settings, or 0 for any that is free.</source>
        <translation>请在设置中选择另一个端口，或用 0 表示任意空闲端口。</translation>
    </message>
    <message>
        <source>The address of the service cannot be written: {reason}.</source>
        <translation>无法写入服务的地址：{reason}。</translation>
    </message>
    <message>
        <source>The settings name another address for the service, but no token may be used there.</source>
        <translation>设置中为服务指定了另一个地址，但没有可在那里使用的令牌。</translation>
    </message>
    <message>
        <source>The service was not started.</source>
        <translation>服务没有启动。</translation>
    </message>
    <message>
        <source>Make one with &apos;chatdesk tokens new NAME --scope remote&apos;, or leave the address empty.</source>
        <translation>请用 &apos;chatdesk tokens new NAME --scope remote&apos; 创建一个，或将地址留空。</translation>
    </message>
    <message>
        <source>The address of the service must be a name or number of this computer with a port.</source>
        <translation>服务的地址必须是此计算机的名称或编号加端口。</translation>
    </message>
    <message>
        <source>For example 192.168.1.5:8443, the address at which others reach this computer.</source>
        <translation>例如 192.168.1.5:8443，即他人访问此计算机所用的地址。</translation>
    </message>
    <message>
        <source>Another address than this computer&apos;s own needs TLS.</source>
        <translation>使用此计算机自身以外的地址需要 TLS。</translation>
    </message>
    <message>
        <source>Name the files of a certificate and its key in the settings, or leave the address empty.</source>
        <translation>请在设置中指定证书及其密钥的文件，或将地址留空。</translation>
    </message>
    <message>
        <source>The certificate of the service cannot be used: {reason}.</source>
        <translation>无法使用服务的证书：{reason}。</translation>
    </message>
    <message>
        <source>Both files must be in PEM format and belong together, and the key must have no passphrase.</source>
        <translation>两个文件必须是 PEM 格式且相互匹配，并且密钥不能有密码短语。</translation>
    </message>
    <message>
        <source>“{origin}” is not the origin of web pages.</source>
        <translation>“{origin}”不是网页的来源。</translation>
    </message>
    <message>
        <source>An origin is a scheme, a name and a port if there is one: https://tool.example.</source>
        <translation>来源由协议、名称和端口（如有）组成：https://tool.example。</translation>
    </message>
    <message>
        <source>Project folder</source>
        <translation>项目文件夹</translation>
    </message>
    <message>
        <source>List a folder of the project</source>
        <translation>列出项目的文件夹</translation>
    </message>
    <message>
        <source>Find files of the project</source>
        <translation>查找项目文件</translation>
    </message>
    <message>
        <source>Read a file of the project</source>
        <translation>读取项目文件</translation>
    </message>
    <message>
        <source>Propose a change to a file of the project</source>
        <translation>提议更改项目文件</translation>
    </message>
    <message>
        <source>A temporary chat keeps nothing, so no change is proposed in it.</source>
        <translation>临时聊天不保留任何内容，因此其中不会提出更改。</translation>
    </message>
    <message>
        <source>Files of a folder can be used on Linux and macOS only.</source>
        <translation>只有在 Linux 和 macOS 上才能使用文件夹中的文件。</translation>
    </message>
    <message>
        <source>Nothing was read.</source>
        <translation>未读取任何内容。</translation>
    </message>
    <message>
        <source>The project of this thread has no folder on this computer.</source>
        <translation>此对话的项目在此计算机上没有文件夹。</translation>
    </message>
    <message>
        <source>The web</source>
        <translation>网络</translation>
    </message>
    <message>
        <source>Search the web</source>
        <translation>搜索网络</translation>
    </message>
    <message>
        <source>Read a web page</source>
        <translation>读取网页</translation>
    </message>
    <message numerus="yes">
        <source>Questions in this thread go to {count} models.</source>
        <comment>Questions in this thread go to {count} model.</comment>
        <translation>
            <numerusform>此对话中的问题会发送给 {count} 个模型。</numerusform>
        </translation>
    </message>
    <message>
        <source>It sent too many messages that nobody asked for, more than {count} in a second.</source>
        <translation>它发送了过多无人请求的消息，一秒内超过 {count} 条。</translation>
    </message>
    <message>
        <source>It wrote too much that nobody asked for, more than {count} bytes in a second.</source>
        <translation>它写出了过多无人请求的内容，一秒内超过 {count} 字节。</translation>
    </message>
    <message>
        <source>The server has lost nothing.</source>
        <translation>服务器没有丢失任何内容。</translation>
    </message>
    <message>
        <source>“{project}” goes on without them. Every computer fetches it again.</source>
        <translation>“{project}”将不带它们继续。每台计算机都会重新获取它。</translation>
    </message>
    <message>
        <source>Every computer fetches the project again and sends what its person wrote and still has. What nobody sends stays only where it is now. If there is a backup of the server that has these changes, restore that instead.</source>
        <translation>每台计算机都会重新获取该项目，并发送其用户写过且仍保留的内容。没有人发送的内容只留在现在的位置。如果服务器有包含这些更改的备份，请改为恢复该备份。</translation>
    </message>
    <message>
        <source>Whoever joins the project gets only what comes before the first of them.</source>
        <translation>加入该项目的人只能得到其中第一个之前的内容。</translation>
    </message>
    <message>
        <source>An owner of the project can let it go on without them.</source>
        <translation>项目的所有者可以让它不带它们继续。</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), made between {after} and {before}.</source>
        <comment>{count} change (number {first}), made between {after} and {before}.</comment>
        <translation>
            <numerusform>{count} 项更改（编号 {first} 至 {last}），在 {after} 与 {before} 之间做出。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), made since {after}.</source>
        <comment>{count} change (number {first}), made since {after}.</comment>
        <translation>
            <numerusform>{count} 项更改（编号 {first} 至 {last}），自 {after} 起做出。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), the first of the project.</source>
        <comment>{count} change (number {first}), the first of the project.</comment>
        <translation>
            <numerusform>{count} 项更改（编号 {first} 至 {last}），项目最早的更改。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>“{project}”: the server has lost {count} changes.</source>
        <comment>“{project}”: the server has lost {count} change.</comment>
        <translation>
            <numerusform>“{project}”：服务器丢失了 {count} 项更改。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Let “{project}” go on without {count} changes?</source>
        <comment>Let “{project}” go on without {count} change?</comment>
        <translation>
            <numerusform>让“{project}”不带 {count} 项更改继续吗？</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>“{project}”: on {day}, {who} let it go on without {count} changes that the server had lost.</source>
        <comment>“{project}”: on {day}, {who} let it go on without {count} change that the server had lost.</comment>
        <translation>
            <numerusform>“{project}”：{day}，{who} 让它不带服务器丢失的 {count} 项更改继续。</numerusform>
        </translation>
    </message>
    <message>
        <source>Search your earlier threads</source>
        <translation>搜索你以前的对话</translation>
    </message>
    <message>
        <source>Read an earlier thread</source>
        <translation>读取以前的对话</translation>
    </message>
    <message>
        <source>Read a file of an earlier thread</source>
        <translation>读取以前对话的文件</translation>
    </message>
    <message>
        <source>Results are below: up and down choose, Enter opens one</source>
        <translation>结果在下方：上下键选择，回车打开</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>并排</translation>
    </message>
    <message>
        <source>Searched the web: {what}</source>
        <translation>搜索了网络：{what}</translation>
    </message>
    <message>
        <source>Read {what}</source>
        <translation>读取了 {what}</translation>
    </message>
    <message>
        <source>Searched your threads: {what}</source>
        <translation>搜索了你的对话：{what}</translation>
    </message>
    <message>
        <source>Looked into the folder {what}</source>
        <translation>查看了文件夹 {what}</translation>
    </message>
    <message>
        <source>Looked for files: {what}</source>
        <translation>查找了文件：{what}</translation>
    </message>
    <message>
        <source>Proposed a change to {what}</source>
        <translation>提议更改 {what}</translation>
    </message>
    <message>
        <source>Looked for a tool</source>
        <translation>查找了工具</translation>
    </message>
    <message>
        <source>Asked {server}: {what}</source>
        <translation>询问了 {server}：{what}</translation>
    </message>
    <message numerus="yes">
        <source>{count} steps</source>
        <comment>{count} step</comment>
        <translation>
            <numerusform>{count} 个步骤</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} failed</source>
        <comment>{count} failed</comment>
        <translation>
            <numerusform>{count} 个失败</numerusform>
        </translation>
    </message>
    <message>
        <source>Check against the server again, and accept what is missing then. The log was closed up to there already, and no change was lost by that.</source>
        <translation>请再次与服务器核对，并接受届时缺少的内容。日志到该处已经合上，没有因此丢失任何更改。</translation>
    </message>
    <message>
        <source>An answer in a shared project is still being written.</source>
        <translation>共享项目中仍有一个回答正在撰写。</translation>
    </message>
    <message>
        <source>Wait until it ends, or stop it, then connect again.</source>
        <translation>请等它结束或将其停止，然后重新连接。</translation>
    </message>
    <message>
        <source>No program opened {address}.</source>
        <translation>没有程序打开 {address}。</translation>
    </message>
    <message>
        <source>{name}, page {page} — {heading}</source>
        <translation>{name}，第 {page} 页 — {heading}</translation>
    </message>
    <message>
        <source>{name}, page {page}</source>
        <translation>{name}，第 {page} 页</translation>
    </message>
    <message>
        <source>This looks like a secret.</source>
        <translation>这看似机密。</translation>
    </message>
    <message>
        <source>Say that it is to be read all the same, or choose another place.</source>
        <translation>请说明仍要读取，或选择其他位置。</translation>
    </message>
    <message>
        <source>There is no file {path}.</source>
        <translation>没有文件 {path}。</translation>
    </message>
    <message>
        <source>Choose a file that exists on this computer.</source>
        <translation>请选择此计算机上存在的文件。</translation>
    </message>
    <message>
        <source>“{name}” looks like a secret.</source>
        <translation>“{name}”看似机密。</translation>
    </message>
    <message>
        <source>This file is not on this computer.</source>
        <translation>此文件不在此计算机上。</translation>
    </message>
    <message>
        <source>There is no folder or file {place}.</source>
        <translation>没有文件夹或文件 {place}。</translation>
    </message>
    <message>
        <source>Give the path of a folder or file, or an address that begins with https://.</source>
        <translation>请给出文件夹或文件的路径，或以 https:// 开头的地址。</translation>
    </message>
    <message>
        <source>This folder or file cannot be read.</source>
        <translation>无法读取此文件夹或文件。</translation>
    </message>
    <message>
        <source>What was read from it before is kept.</source>
        <translation>先前从中读取的内容已保留。</translation>
    </message>
    <message>
        <source>Make it available again, or remove it from the files of the project.</source>
        <translation>请使其重新可用，或将其从项目的文件中移除。</translation>
    </message>
    <message>
        <source>“{name}” is not a file.</source>
        <translation>“{name}”不是文件。</translation>
    </message>
    <message>
        <source>“{name}” is not a folder.</source>
        <translation>“{name}”不是文件夹。</translation>
    </message>
    <message>
        <source>“{place}” cannot be read: {reason}.</source>
        <translation>无法读取“{place}”：{reason}。</translation>
    </message>
    <message>
        <source>This project does not exist.</source>
        <translation>此项目不存在。</translation>
    </message>
    <message>
        <source>“{place}” is among the files of this project already.</source>
        <translation>“{place}”已在此项目的文件中。</translation>
    </message>
    <message>
        <source>This folder, file or page is not among the files of a project.</source>
        <translation>此文件夹、文件或网页不在任何项目的文件中。</translation>
    </message>
    <message>
        <source>Files of the project</source>
        <translation>项目的文件</translation>
    </message>
    <message>
        <source>Search the files of the project</source>
        <translation>搜索项目的文件</translation>
    </message>
    <message>
        <source>Read on in a file of the project</source>
        <translation>继续读取项目的文件</translation>
    </message>
    <message>
        <source>Read this all the same?</source>
        <translation>仍要读取吗？</translation>
    </message>
    <message>
        <source>{looks} What it says can go with questions to those who get the files of the project.</source>
        <translation>{looks} 其中的内容可能随问题发送给会得到项目文件的各方。</translation>
    </message>
    <message>
        <source>Read it</source>
        <translation>读取</translation>
    </message>
    <message>
        <source>Remove this from the files of the project?</source>
        <translation>将其从项目的文件中移除吗？</translation>
    </message>
    <message>
        <source>ChatDesk forgets what it read from “{place}”. Nothing is deleted there.</source>
        <translation>ChatDesk 会忘记从“{place}”读取的内容。原处不会删除任何内容。</translation>
    </message>
    <message>
        <source>The passage is not on this page: the file may have changed since it was read.</source>
        <translation>此片段不在这一页上：文件可能在读取后发生了更改。</translation>
    </message>
    <message>
        <source>This passage is no longer in the files of the project: the file changed, or was removed.</source>
        <translation>此片段已不在项目的文件中：文件已更改或被移除。</translation>
    </message>
    <message>
        <source>The answer is unchanged.</source>
        <translation>回答未变。</translation>
    </message>
    <message>
        <source>Ask again to search the files as they are now.</source>
        <translation>请重新提问，以搜索文件现在的内容。</translation>
    </message>
    <message>
        <source>Open the file</source>
        <translation>打开文件</translation>
    </message>
    <message>
        <source>Previous page</source>
        <translation>上一页</translation>
    </message>
    <message>
        <source>Next page</source>
        <translation>下一页</translation>
    </message>
    <message>
        <source>Smaller</source>
        <translation>缩小</translation>
    </message>
    <message>
        <source>Larger</source>
        <translation>放大</translation>
    </message>
    <message>
        <source>Show the text of the page</source>
        <translation>显示页面的文字</translation>
    </message>
    <message>
        <source>Page</source>
        <translation>页面</translation>
    </message>
    <message>
        <source>Show the page</source>
        <translation>显示页面</translation>
    </message>
    <message>
        <source>Page {page} of {total}</source>
        <translation>第 {page} 页，共 {total} 页</translation>
    </message>
    <message>
        <source>Page {page}</source>
        <translation>第 {page} 页</translation>
    </message>
    <message>
        <source>Memory is off.</source>
        <translation>记忆已关闭。</translation>
    </message>
    <message>
        <source>Memories are not sent to this provider: you did not allow it.</source>
        <translation>不向此提供商发送记忆：你没有允许。</translation>
    </message>
    <message>
        <source>Memories are not sent in a shared project.</source>
        <translation>在共享项目中不发送记忆。</translation>
    </message>
    <message>
        <source>Memories are not sent in a temporary chat.</source>
        <translation>在临时聊天中不发送记忆。</translation>
    </message>
    <message>
        <source>A memory needs a text.</source>
        <translation>记忆需要有文字。</translation>
    </message>
    <message>
        <source>Write one sentence.</source>
        <translation>请写一句话。</translation>
    </message>
    <message>
        <source>The memory has {count} characters; the most is {most}.</source>
        <translation>记忆有 {count} 个字符；最多 {most} 个。</translation>
    </message>
    <message>
        <source>Shorten it to what matters.</source>
        <translation>请缩短，只留要点。</translation>
    </message>
    <message numerus="yes">
        <source>about {count} hours left</source>
        <comment>about {count} hour left</comment>
        <translation>
            <numerusform>大约还剩 {count} 小时</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about {count} minutes left</source>
        <comment>about {count} minute left</comment>
        <translation>
            <numerusform>大约还剩 {count} 分钟</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about {count} seconds left</source>
        <comment>about {count} second left</comment>
        <translation>
            <numerusform>大约还剩 {count} 秒</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} look like secrets, not read</source>
        <comment>{count} looks like a secret, not read</comment>
        <translation>
            <numerusform>{count} 个看似机密，未读取</numerusform>
        </translation>
    </message>
    <message>
        <source>not tried yet</source>
        <translation>尚未尝试</translation>
    </message>
    <message>
        <source>found at place {place}</source>
        <translation>已找到，排第 {place} 位</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>未找到</translation>
    </message>
    <message>
        <source>at place {place}</source>
        <translation>第 {place} 位</translation>
    </message>
    <message>
        <source>{outcome} (before: {earlier})</source>
        <translation>{outcome}（之前：{earlier}）</translation>
    </message>
    <message>
        <source>Another computer shares “{place}” with this project.</source>
        <translation>另一台计算机与此项目共享了“{place}”。</translation>
    </message>
    <message>
        <source>Pause it, and ask the person who shares it to end that.</source>
        <translation>请将其暂停，并请共享它的人停止共享。</translation>
    </message>
    <message>
        <source>Files are shared by the owners and admins of a shared project, from their own computers.</source>
        <translation>共享项目的文件由所有者和管理员从自己的计算机上共享。</translation>
    </message>
    <message>
        <source>It is damaged and cannot be drawn.</source>
        <translation>它已损坏，无法显示。</translation>
    </message>
    <message>
        <source>This page cannot be drawn.</source>
        <translation>无法显示此页面。</translation>
    </message>
    <message>
        <source>Read its text instead, or open the file in another program.</source>
        <translation>请改为阅读其文字，或在其他程序中打开该文件。</translation>
    </message>
    <message>
        <source>Name the model for embeddings.</source>
        <translation>请指定嵌入模型。</translation>
    </message>
    <message>
        <source>The files of this project are never sent to this provider.</source>
        <translation>此项目的文件从不发送给此提供商。</translation>
    </message>
    <message>
        <source>Let it have them first, or choose another provider.</source>
        <translation>请先允许它得到这些文件，或选择其他提供商。</translation>
    </message>
    <message>
        <source>“{model}” did not answer in time.</source>
        <translation>“{model}”未及时响应。</translation>
    </message>
    <message>
        <source>No provider can be asked here.</source>
        <translation>这里无法询问任何提供商。</translation>
    </message>
    <message>
        <source>The vectors of “{model}” cannot be used.</source>
        <translation>无法使用“{model}”的向量。</translation>
    </message>
    <message>
        <source>The vectors of “{model}” have {found} numbers now, and had {known}.</source>
        <translation>“{model}”的向量现在有 {found} 个数字，之前是 {known} 个。</translation>
    </message>
    <message>
        <source>Memory is off, so nothing was remembered.</source>
        <translation>记忆已关闭，因此没有记住任何内容。</translation>
    </message>
    <message>
        <source>Nothing was kept.</source>
        <translation>未保留任何内容。</translation>
    </message>
    <message>
        <source>Turn it on in Settings, Context, Memory.</source>
        <translation>请在“设置”的“上下文”中的“记忆”里开启。</translation>
    </message>
    <message>
        <source>The memories are unchanged.</source>
        <translation>记忆未更改。</translation>
    </message>
    <message>
        <source>Nothing in the files of the project fits this question.</source>
        <translation>项目的文件中没有与此问题相符的内容。</translation>
    </message>
    <message>
        <source>What was found in the files of the project did not fit into the request.</source>
        <translation>在项目的文件中找到的内容放不进请求。</translation>
    </message>
    <message>
        <source>The files of the project were not sent: this provider never gets them.</source>
        <translation>未发送项目的文件：此提供商从不得到它们。</translation>
    </message>
    <message>
        <source>Remember facts that you confirm</source>
        <translation>记住你确认的内容</translation>
    </message>
    <message>
        <source>Off: nothing is kept or sent. What is there stays until you delete it.</source>
        <translation>关闭：不会保留或发送任何内容。已有的内容会保留，直到你将其删除。</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>记忆</translation>
    </message>
    <message>
        <source>memories remember facts</source>
        <translation>memories remember facts 记忆 记住</translation>
    </message>
    <message>
        <source>Propose memories below an answer</source>
        <translation>在回答下方提议记忆</translation>
    </message>
    <message>
        <source>A sentence of yours that is about you. Nothing is kept unless you confirm it.</source>
        <translation>你写的与你有关的一句话。除非你确认，否则不会保留任何内容。</translation>
    </message>
    <message>
        <source>Memories take at most</source>
        <translation>记忆最多占用</translation>
    </message>
    <message>
        <source>tokens of a request</source>
        <translation>个 token（每个请求）</translation>
    </message>
    <message>
        <source>Providers that are sent memories</source>
        <translation>会收到记忆的提供商</translation>
    </message>
    <message>
        <source>A question and the file that should be found are both needed, in few words.</source>
        <translation>问题和应当找到的文件都要填写，且要简短。</translation>
    </message>
    <message>
        <source>A project keeps at most {count} questions.</source>
        <translation>一个项目最多保留 {count} 个问题。</translation>
    </message>
    <message>
        <source>Remove some first.</source>
        <translation>请先移除一些。</translation>
    </message>
    <message>
        <source>Another memory says the same.</source>
        <translation>另一条记忆的内容相同。</translation>
    </message>
    <message>
        <source>Delete one of the two.</source>
        <translation>请删除其中一条。</translation>
    </message>
    <message>
        <source>ChatDesk keeps {most} memories at most.</source>
        <translation>ChatDesk 最多保留 {most} 条记忆。</translation>
    </message>
    <message>
        <source>Delete some that no longer matter.</source>
        <translation>请删除一些不再重要的记忆。</translation>
    </message>
    <message>
        <source>This memory does not exist.</source>
        <translation>此记忆不存在。</translation>
    </message>
    <message>
        <source>Memories are not sent in a shared project, so none is kept for it alone.</source>
        <translation>在共享项目中不发送记忆，因此不会仅为该项目保留。</translation>
    </message>
    <message>
        <source>Keep it everywhere.</source>
        <translation>请改为在所有地方保留。</translation>
    </message>
    <message>
        <source>My computers</source>
        <translation>我的计算机</translation>
    </message>
    <message>
        <source>Me</source>
        <translation>我</translation>
    </message>
    <message>
        <source>The key of your computers cannot be found on this one.</source>
        <translation>在这台计算机上找不到你的计算机的密钥。</translation>
    </message>
    <message>
        <source>Unlock the keyring, or join again with the recovery phrase: &apos;chatdesk computers join&apos;.</source>
        <translation>请解锁密钥环，或用恢复短语再次加入：&apos;chatdesk computers join&apos;。</translation>
    </message>
    <message>
        <source>This computer cannot keep the key of your computers.</source>
        <translation>此计算机无法保存你的计算机的密钥。</translation>
    </message>
    <message>
        <source>This folder is not empty.</source>
        <translation>此文件夹不是空的。</translation>
    </message>
    <message>
        <source>Choose an empty folder, or a new one inside. If your other computer uses this one, join it with the phrase.</source>
        <translation>请选择空文件夹，或在其中新建一个。如果你的另一台计算机在使用此文件夹，请用恢复短语加入。</translation>
    </message>
    <message>
        <source>No computer of yours has written into this folder, as far as it has arrived here.</source>
        <translation>就已到达此处的内容来看，你还没有计算机写入过此文件夹。</translation>
    </message>
    <message>
        <source>Wait until the folder has been carried here, or look whether it is the right one.</source>
        <translation>请等待文件夹同步到这里，或检查是否选对了文件夹。</translation>
    </message>
    <message>
        <source>The recovery phrase is not the one of this folder.</source>
        <translation>恢复短语不属于此文件夹。</translation>
    </message>
    <message>
        <source>Use the phrase that was shown when the first computer began with this folder, or when one was removed since.</source>
        <translation>请使用第一台计算机开始使用此文件夹时，或之后移除计算机时显示的短语。</translation>
    </message>
    <message>
        <source>It is there.</source>
        <translation>它存在。</translation>
    </message>
    <message>
        <source>This is a file. Choose a folder.</source>
        <translation>这是文件。请选择文件夹。</translation>
    </message>
    <message>
        <source>It is made when you go on.</source>
        <translation>继续时会创建它。</translation>
    </message>
    <message>
        <source>It is not there, nor is the folder around it. Connect the disk, or look again.</source>
        <translation>它不存在，上级文件夹也不存在。请连接磁盘，或重新查看。</translation>
    </message>
    <message>
        <source>It cannot be written: {reason}.</source>
        <translation>无法写入：{reason}。</translation>
    </message>
    <message>
        <source>It can be written.</source>
        <translation>可以写入。</translation>
    </message>
    <message>
        <source>Contents</source>
        <translation>内容</translation>
    </message>
    <message>
        <source>{problem}</source>
        <translation>{problem}</translation>
    </message>
    <message>
        <source>Another computer of yours uses it already. Cancel, and choose Join.</source>
        <translation>你的另一台计算机已在使用它。请取消，然后选择“加入”。</translation>
    </message>
    <message>
        <source>It is a folder of ChatDesk.</source>
        <translation>它是 ChatDesk 的文件夹。</translation>
    </message>
    <message>
        <source>The folder is empty.</source>
        <translation>文件夹是空的。</translation>
    </message>
    <message>
        <source>It has other files. Choose an empty folder, or a new one inside.</source>
        <translation>其中有其他文件。请选择空文件夹，或在其中新建一个。</translation>
    </message>
    <message>
        <source>This computer has not joined any others.</source>
        <translation>此计算机尚未与其他计算机相连。</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers start&apos; or &apos;join&apos; does that.</source>
        <translation>可使用 &apos;chatdesk computers start&apos; 或 &apos;join&apos;。</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers status&apos; lists them.</source>
        <translation>&apos;chatdesk computers status&apos; 会列出它们。</translation>
    </message>
    <message>
        <source>The exchange with your other computers is paused.</source>
        <translation>与你的其他计算机的交换已暂停。</translation>
    </message>
    <message>
        <source>Nothing is read or written in the folder.</source>
        <translation>不会在文件夹中读取或写入任何内容。</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers resume&apos; goes on.</source>
        <translation>可用 &apos;chatdesk computers resume&apos; 继续。</translation>
    </message>
    <message>
        <source>Name it by its id: &apos;chatdesk computers status --json&apos; has them.</source>
        <translation>请用其 ID 指定：&apos;chatdesk computers status --json&apos; 会显示。</translation>
    </message>
    <message>
        <source>This computer has left the folder, and your chats are kept.</source>
        <translation>此计算机已离开文件夹，你的聊天已保留。</translation>
    </message>
    <message>
        <source>This profile has chats already.</source>
        <translation>此配置中已有聊天。</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers join&apos; merges them with those of the folder.</source>
        <translation>&apos;chatdesk computers join&apos; 会将它们与文件夹中的合并。</translation>
    </message>
    <message>
        <source>Several computers are called {name}.</source>
        <translation>有多台计算机名为 {name}。</translation>
    </message>
    <message>
        <source>None of your computers is called {name}.</source>
        <translation>你没有名为 {name} 的计算机。</translation>
    </message>
    <message>
        <source>This is the computer that you use.</source>
        <translation>这是你正在使用的计算机。</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers leave&apos; forgets the folder.</source>
        <translation>可用 &apos;chatdesk computers leave&apos; 不再使用文件夹。</translation>
    </message>
    <message>
        <source>The copies that were kept for the folder cannot be removed: {reason}.</source>
        <translation>无法移除为文件夹保留的副本：{reason}。</translation>
    </message>
    <message>
        <source>Remove {folder} by hand.</source>
        <translation>请手动移除 {folder}。</translation>
    </message>
    <message>
        <source>This computer has joined already.</source>
        <translation>此计算机已经加入。</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers status&apos;</source>
        <translation>&apos;chatdesk computers status&apos;</translation>
    </message>
    <message>
        <source>That is not a recovery phrase of ChatDesk.</source>
        <translation>这不是 ChatDesk 的恢复短语。</translation>
    </message>
    <message>
        <source>It has seven groups of four letters and digits. Compare each with what was shown at the start.</source>
        <translation>它有七组，每组四个字母和数字。请逐组与开始时显示的核对。</translation>
    </message>
    <message>
        <source>The folder of your computers cannot be reached.</source>
        <translation>无法访问你的计算机所用的文件夹。</translation>
    </message>
    <message>
        <source>Connect the disk, or start the program that carries the folder. ChatDesk tries again by itself.</source>
        <translation>请连接磁盘，或启动同步该文件夹的程序。ChatDesk 会自动重试。</translation>
    </message>
    <message>
        <source>The folder of your computers belongs to another recovery phrase.</source>
        <translation>你的计算机所用的文件夹属于另一个恢复短语。</translation>
    </message>
    <message>
        <source>Nothing was written there, and everything you wrote is kept on this computer.</source>
        <translation>没有向那里写入任何内容，你写的一切都保留在此计算机上。</translation>
    </message>
    <message>
        <source>Put the folder back, or forget it and join again. ChatDesk tries again by itself.</source>
        <translation>请将文件夹放回原处，或不再使用它并再次加入。ChatDesk 会自动重试。</translation>
    </message>
    <message>
        <source>The disk with the folder of your computers is full.</source>
        <translation>你的计算机所用文件夹所在的磁盘已满。</translation>
    </message>
    <message>
        <source>Make room there. ChatDesk tries again by itself.</source>
        <translation>请在那里腾出空间。ChatDesk 会自动重试。</translation>
    </message>
    <message>
        <source>The folder of your computers cannot be used: {reason}.</source>
        <translation>无法使用你的计算机所用的文件夹：{reason}。</translation>
    </message>
    <message>
        <source>{answer}: {question}</source>
        <translation>{answer}：{question}</translation>
    </message>
    <message>
        <source>not sent: no room</source>
        <translation>未发送：放不下</translation>
    </message>
    <message>
        <source>not sent: does not fit the question</source>
        <translation>未发送：与问题不符</translation>
    </message>
    <message>
        <source>not sent: left out</source>
        <translation>未发送：已排除</translation>
    </message>
    <message>
        <source>not sent: this provider never gets it</source>
        <translation>未发送：此提供商从不得到它</translation>
    </message>
    <message>
        <source>not sent: no longer in the files</source>
        <translation>未发送：已不在文件中</translation>
    </message>
    <message>
        <source>From the files of the project</source>
        <translation>来自项目的文件</translation>
    </message>
    <message>
        <source>What was found in the files</source>
        <translation>在文件中找到的内容</translation>
    </message>
    <message>
        <source>Leave out</source>
        <translation>排除</translation>
    </message>
    <message>
        <source>Show the passage</source>
        <translation>显示片段</translation>
    </message>
    <message>
        <source>Use again</source>
        <translation>重新使用</translation>
    </message>
    <message>
        <source>place {rank}</source>
        <translation>第 {rank} 位</translation>
    </message>
    <message>
        <source>named in the question</source>
        <translation>问题中已提及</translation>
    </message>
    <message>
        <source>by words: {place}</source>
        <translation>按词语：第 {place} 位</translation>
    </message>
    <message>
        <source>by meaning: {place}</source>
        <translation>按含义：第 {place} 位</translation>
    </message>
    <message>
        <source>the whole file</source>
        <translation>整个文件</translation>
    </message>
    <message>
        <source>Memories of this thread</source>
        <translation>此对话的记忆</translation>
    </message>
    <message>
        <source>{text}: {fate}, {tokens}</source>
        <translation>{text}：{fate}，{tokens}</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories are sent</source>
        <comment>{count} memory is sent</comment>
        <translation>
            <numerusform>发送 {count} 条记忆</numerusform>
        </translation>
    </message>
    <message>
        <source>Send the files of the project to {provider}?</source>
        <translation>将项目的文件发送给 {provider} 吗？</translation>
    </message>
    <message>
        <source>Send and use</source>
        <translation>发送并使用</translation>
    </message>
    <message>
        <source>What is left out</source>
        <translation>排除的内容</translation>
    </message>
    <message>
        <source>One rule a line, as in a .gitignore: “drafts/” leaves out a folder, “*.log” an ending, and “!keep.log” takes a file in again. What is left out is forgotten at once.</source>
        <translation>每行一条规则，与 .gitignore 相同：“drafts/”排除一个文件夹，“*.log”排除一种扩展名，“!keep.log”重新包含一个文件。被排除的内容会立即遗忘。</translation>
    </message>
    <message>
        <source>Rules</source>
        <translation>规则</translation>
    </message>
    <message>
        <source>{title}, page {page} of {total}</source>
        <translation>{title}，第 {page} 页，共 {total} 页</translation>
    </message>
    <message>
        <source>Who gets these files</source>
        <translation>这些文件发送给谁</translation>
    </message>
    <message>
        <source>Untick a provider, and nothing of the project&apos;s files is ever sent to it: no passage, no whole file, and nothing that tools read in them. Answers stay as they are.</source>
        <translation>取消勾选某个提供商后，项目文件的任何内容都不会发送给它：片段、整个文件，以及工具从中读取的内容都不会。已有的回答保持不变。</translation>
    </message>
    <message>
        <source>Files that look like secrets</source>
        <translation>看似机密的文件</translation>
    </message>
    <message>
        <source>By their names, these usually hold passwords or keys. One that you tick is read, and what it says can go with questions to those who get the files, but never to a team.</source>
        <translation>从名称看，这些文件通常含有密码或密钥。勾选的文件会被读取，其内容可能随问题发送给会得到这些文件的各方，但绝不会发送给团队。</translation>
    </message>
    <message>
        <source>Kept questions</source>
        <translation>保留的问题</translation>
    </message>
    <message>
        <source>Write questions with the file that each should find. Run them now, and again after something changed.</source>
        <translation>写下问题，以及每个问题应当找到的文件。现在运行，并在有改动后再次运行。</translation>
    </message>
    <message>
        <source>The file to find</source>
        <translation>应找到的文件</translation>
    </message>
    <message>
        <source>Run all</source>
        <translation>全部运行</translation>
    </message>
    <message>
        <source>Add a memory</source>
        <translation>添加记忆</translation>
    </message>
    <message>
        <source>Edit the memory</source>
        <translation>编辑记忆</translation>
    </message>
    <message>
        <source>One sentence</source>
        <translation>一句话</translation>
    </message>
    <message>
        <source>What to remember</source>
        <translation>要记住的内容</translation>
    </message>
    <message>
        <source>Where it holds</source>
        <translation>适用范围</translation>
    </message>
    <message>
        <source>Everywhere</source>
        <translation>所有地方</translation>
    </message>
    <message>
        <source>Erase it with its message</source>
        <translation>随其消息一起抹除</translation>
    </message>
    <message>
        <source>Deleted: “{text}”</source>
        <translation>已删除：“{text}”</translation>
    </message>
    <message>
        <source>written by you</source>
        <translation>由你所写</translation>
    </message>
    <message>
        <source>selected in a message</source>
        <translation>从消息中选取</translation>
    </message>
    <message>
        <source>proposed below an answer</source>
        <translation>在回答下方提议</translation>
    </message>
    <message>
        <source>imported</source>
        <translation>已导入</translation>
    </message>
    <message>
        <source>from another program</source>
        <translation>来自其他程序</translation>
    </message>
    <message>
        <source>A project without a name</source>
        <translation>未命名的项目</translation>
    </message>
    <message>
        <source>imported from {source}</source>
        <translation>从 {source} 导入</translation>
    </message>
    <message>
        <source>its message is gone</source>
        <translation>其消息已不存在</translation>
    </message>
    <message>
        <source>erased with its message</source>
        <translation>随其消息一起抹除</translation>
    </message>
    <message>
        <source>not sent: what it belongs to is in the trash</source>
        <translation>未发送：它所属的内容在回收站中</translation>
    </message>
    <message>
        <source>not sent: the project is shared</source>
        <translation>未发送：项目已共享</translation>
    </message>
    <message>
        <source>Select the words to remember first.</source>
        <translation>请先选择要记住的文字。</translation>
    </message>
    <message>
        <source>Nothing is remembered: memory is off, and an environment variable decides that.</source>
        <translation>不会记住任何内容：记忆已由环境变量关闭。</translation>
    </message>
    <message>
        <source>Keep “{fact}” as a memory?</source>
        <translation>将“{fact}”保留为记忆吗？</translation>
    </message>
    <message>
        <source>Memory is off. Turn it on and keep “{fact}”?</source>
        <translation>记忆已关闭。开启并保留“{fact}”吗？</translation>
    </message>
    <message>
        <source>Turn on and keep</source>
        <translation>开启并保留</translation>
    </message>
    <message>
        <source>Kept as a memory.</source>
        <translation>已保留为记忆。</translation>
    </message>
    <message>
        <source>This is remembered already.</source>
        <translation>这已经记住了。</translation>
    </message>
    <message>
        <source>Remember the selection</source>
        <translation>记住所选内容</translation>
    </message>
    <message>
        <source>Memory is off, and an environment variable decides that. Nothing can be kept.</source>
        <translation>记忆已由环境变量关闭。无法保留任何内容。</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent until you turn it on.</source>
        <translation>记忆已关闭：在你开启之前，不会保留或发送任何内容。</translation>
    </message>
    <message>
        <source>In this project</source>
        <translation>在此项目中</translation>
    </message>
    <message>
        <source>Turn memory on and keep</source>
        <translation>开启记忆并保留</translation>
    </message>
    <message>
        <source>Memories in the export</source>
        <translation>导出文件中的记忆</translation>
    </message>
    <message>
        <source>Tick all</source>
        <translation>全部勾选</translation>
    </message>
    <message>
        <source>Remember the ticked ones</source>
        <translation>记住勾选的内容</translation>
    </message>
    <message>
        <source>Tick those that ChatDesk shall remember. They are sent to the providers that you allow.</source>
        <translation>勾选要让 ChatDesk 记住的内容。它们会发送给你允许的提供商。</translation>
    </message>
    <message>
        <source>Memory is off, so none can be taken. If you turn it on in Settings, Context, Memory and import the file again, ChatDesk keeps those that you tick, and sends them to the providers that you allow.</source>
        <translation>记忆已关闭，因此无法接收。如果你在“设置”的“上下文”中的“记忆”里开启，并再次导入该文件，ChatDesk 会保留你勾选的内容，并发送给你允许的提供商。</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories in the export</source>
        <comment>{count} memory in the export</comment>
        <translation>
            <numerusform>导出文件中有 {count} 条记忆</numerusform>
        </translation>
    </message>
    <message>
        <source>{count}. {hint}</source>
        <translation>{count}。{hint}</translation>
    </message>
    <message>
        <source>No file or folder of the project has this name: {names}.</source>
        <translation>项目中没有此名称的文件或文件夹：{names}。</translation>
    </message>
    <message>
        <source>Left out of the project&apos;s files: {names}.</source>
        <translation>已从项目的文件中排除：{names}。</translation>
    </message>
    <message>
        <source>{provider} never gets files of this project: {names}.</source>
        <translation>{provider} 从不得到此项目的文件：{names}。</translation>
    </message>
    <message>
        <source>Not read yet: {names}.</source>
        <translation>尚未读取：{names}。</translation>
    </message>
    <message>
        <source>Cannot be read: {names}.</source>
        <translation>无法读取：{names}。</translation>
    </message>
    <message>
        <source>Looks like a secret, and is not read: {names}.</source>
        <translation>看似机密，未读取：{names}。</translation>
    </message>
    <message>
        <source>Everything that you wrote here is kept on this computer, also what had not been sent.</source>
        <translation>你在这里写的一切都保留在此计算机上，包括尚未发送的内容。</translation>
    </message>
    <message>
        <source>Join again with the new recovery phrase, or forget the folder.</source>
        <translation>请用新的恢复短语再次加入，或不再使用该文件夹。</translation>
    </message>
    <message>
        <source>Everything that you wrote here is kept on this computer, and merged when you have joined again.</source>
        <translation>你在这里写的一切都保留在此计算机上，再次加入后会合并。</translation>
    </message>
    <message>
        <source>Join again with the new recovery phrase. If you did not remove any, begin with another folder.</source>
        <translation>请用新的恢复短语再次加入。如果你没有移除过计算机，请从另一个文件夹开始。</translation>
    </message>
    <message>
        <source>This recovery phrase was replaced when a computer was removed.</source>
        <translation>移除计算机时，此恢复短语已被替换。</translation>
    </message>
    <message>
        <source>Use the phrase that was shown then.</source>
        <translation>请使用当时显示的短语。</translation>
    </message>
    <message>
        <source>This computer was removed on {computer}.</source>
        <translation>此计算机已在 {computer} 上被移除。</translation>
    </message>
    <message>
        <source>{name} was removed on {computer}, so there is a new recovery phrase.</source>
        <translation>{name} 已在 {computer} 上被移除，因此有了新的恢复短语。</translation>
    </message>
</context>
</TS>
